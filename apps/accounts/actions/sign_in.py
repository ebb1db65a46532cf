"""Proofs of who somebody is, and what is kept of them."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest

from apps.access.checks import ensure
from apps.accounts import rules
from apps.accounts.models import User
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.personal import UNKNOWN, Personal
from apps.audit.record import NOBODY, personal, record, record_independent
from apps.core.errors import Refused

_LOCKED = EventType.ACCOUNT_LOCKED_OUT


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
def record_sign_in(*, address: str, by: User) -> None:
    """Keep that `by` opened a session, and from which network address.

    Raises:
        Refused: service accounts do not sign in.
    """
    ensure(rules.can_sign_in(by))
    record(
        EventType.ACCOUNT_SIGNED_IN,
        target=by,
        project=None,
        by=by,
        changes={"from_address": personal(by, address)},
    )


def record_sign_in_failure(*, email: str, address: str, is_locked: bool) -> None:
    """Keep that somebody gave a wrong name or password.

    What was typed is not kept when no account has that name: it may be a password.
    While an account is locked, only the first attempt is kept.

    Args:
        email: what was typed as name.
        address: the network address it came from.
        is_locked: further attempts are refused for a while, right or wrong.
    """
    name = email.replace("\0", "")  # no text in the database can hold one
    person = User.objects.filter(email__iexact=name).first()
    kind = _LOCKED if is_locked else EventType.ACCOUNT_SIGN_IN_FAILED
    if is_locked and _is_told(person):
        return
    about = person.pk if person else UNKNOWN
    record_independent(
        kind,
        target=person,
        project=None,
        by=NOBODY,
        changes={"from_address": Personal(about, address)},
    )


def _is_told(person: User | None) -> bool:
    """Say whether the last thing known of these attempts is that they are locked."""
    attempts = AuditEvent.objects.filter(
        target_id=str(person.pk) if person else "",
        type__in=[_LOCKED, EventType.ACCOUNT_SIGN_IN_FAILED],
    )
    newest = attempts.order_by("-pk").first()
    return newest is not None and newest.type == _LOCKED


@transaction.atomic
def record_password_change(*, by: User) -> None:
    """Keep that `by` changed the password; Django's own form changes it."""
    ensure(rules.can_sign_in(by))
    record(EventType.ACCOUNT_PASSWORD_CHANGED, target=by, project=None, by=by)
