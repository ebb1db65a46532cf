"""Proofs of who somebody is, and what is kept of them."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest

from apps.access.checks import ensure
from apps.accounts import rules
from apps.accounts.models import User
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Refused


class WrongPassword(Refused):
    """The re-entered password is not the signer's."""


def confirm_password(*, by: User, password: str) -> None:
    """Check a password that was entered anew; repeated failures lock the account.

    Call it before the transaction of the action that needs it, so that failures are
    counted although nothing is changed.

    Raises:
        WrongPassword: it is not the password of `by`, or the account is locked.
    """
    confirmed = authenticate(HttpRequest(), username=by.email, password=password)
    if confirmed is None or confirmed.pk != by.pk:
        raise WrongPassword(
            "The password is not right. Enter the password you sign in with.",
            fields={"password": "This is not your password."},
        )


@transaction.atomic
def record_sign_in(*, by: User) -> None:
    """Keep that `by` opened a session.

    Raises:
        Refused: service accounts do not sign in.
    """
    ensure(rules.can_sign_in(by))
    record(EventType.ACCOUNT_SIGNED_IN, target=by, project=None, by=by)


@transaction.atomic
def record_password_change(*, by: User) -> None:
    """Keep that `by` changed the password; Django's own form changes it."""
    ensure(rules.can_sign_in(by))
    record(EventType.ACCOUNT_PASSWORD_CHANGED, target=by, project=None, by=by)
