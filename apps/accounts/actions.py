"""Everything that changes an account or a token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from apps.access.checks import ensure
from apps.access.roles import GRANTABLE_AGENCY_ROLES, WORKER
from apps.accounts import rules
from apps.accounts.authentication import SHOWN_CHARACTERS, digest, new_secret
from apps.accounts.models import ApiToken, TokenScope, User, UserKind
from apps.audit.event_types import EventType
from apps.audit.record import difference, record
from apps.core.errors import Invalid, Refused

WORKER_EMAIL = "worker@service.invalid"
MAX_TOKEN_DAYS = 365
PROFILE_FIELDS = ("full_name", "title", "organisation")


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
def create_person(
    *,
    email: str,
    full_name: str,
    password: str,
    by: User,
    profile: dict[str, str] | None = None,
    agency_roles: Sequence[str] = (),
) -> User:
    """Create the account of a person.

    Args:
        email: what the person signs in with; unique without regard to case.
        full_name: as printed under signatures.
        password: the first password.
        by: an administrator.
        profile: title and organisation.
        agency_roles: slugs of agency roles.

    Raises:
        Invalid: the address is taken, the password is weak or a role is unknown.
        Refused: only an administrator may.
    """
    ensure(rules.can_create_person(by))
    roles = _grantable(agency_roles)
    person = User(
        email=email.lower(),
        full_name=full_name,
        agency_roles=roles,
        **{key: (profile or {}).get(key, "") for key in ("title", "organisation")},
    )
    _check_password(password, person)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        raise Invalid(
            "There is an account with this e-mail address.",
            fields={"email": "Already in use."},
        ) from error
    record(
        EventType.ACCOUNT_CREATED,
        target=person,
        project=None,
        by=by,
        changes={"agency_roles": [[], person.agency_roles]},
    )
    return person


@transaction.atomic
def edit_person(*, person: User, profile: dict[str, str], by: User) -> User:
    """Change name, title and organisation of `person`.

    Args:
        person: whose account.
        profile: new values; a missing one stays.
        by: an administrator.

    Raises:
        Refused: only an administrator may, and never a service account.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    ensure(rules.can_edit_person(by, person))
    before = {name: getattr(person, name) for name in PROFILE_FIELDS}
    wanted = {name: profile[name] for name in PROFILE_FIELDS if name in profile}
    changes = difference(before, wanted)
    if changes:
        for name, (_, value) in changes.items():
            setattr(person, name, value)
        person.save()
        record(
            EventType.ACCOUNT_EDITED,
            target=person,
            project=None,
            by=by,
            changes=changes,
        )
    return person


@transaction.atomic
def set_agency_roles(*, person: User, agency_roles: Sequence[str], by: User) -> User:
    """Replace the agency roles of `person`.

    Raises:
        Invalid: a role is unknown or not given by hand.
        Refused: only an administrator may, and never for themselves.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    ensure(rules.can_set_agency_roles(by, person))
    roles = _grantable(agency_roles)
    changes = difference({"agency_roles": person.agency_roles}, {"agency_roles": roles})
    if changes:
        person.agency_roles = roles
        person.save()
        record(
            EventType.ACCOUNT_ROLES_SET,
            target=person,
            project=None,
            by=by,
            changes=changes,
        )
    return person


@transaction.atomic
def deactivate_person(*, person: User, by: User) -> User:
    """Close an account: it cannot sign in and its tokens stop working.

    Raises:
        Refused: only an administrator may, and never their own.
        WrongState: it is closed already.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    ensure(rules.can_deactivate_person(by, person))
    person.is_active = False
    person.save()
    record(
        EventType.ACCOUNT_DEACTIVATED,
        target=person,
        project=None,
        by=by,
        changes={"is_active": [True, False]},
    )
    return person


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


@transaction.atomic
def issue_token(*, name: str, scope: str, days: int, by: User) -> tuple[ApiToken, str]:
    """Issue an API token to `by`.

    Args:
        name: what it is for.
        scope: read or write.
        days: until it expires, 1 to 365.
        by: its owner.

    Returns:
        The token and its secret, which is shown once and not kept.

    Raises:
        Invalid: unknown scope or too long a life.
        Refused: service accounts have none.
    """
    ensure(rules.can_issue_token(by))
    if scope not in TokenScope.values:
        raise Invalid("Choose read or write.", fields={"scope": "Unknown scope."})
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise Invalid(
            f"A token lives 1 to {MAX_TOKEN_DAYS} days.",
            fields={"days": "Out of range."},
        )
    secret = new_secret()
    token = ApiToken.objects.create(
        user=by,
        name=name,
        scope=scope,
        prefix=secret[:SHOWN_CHARACTERS],
        digest=digest(secret),
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(
        EventType.TOKEN_ISSUED,
        target=token,
        project=None,
        by=by,
        changes={"scope": scope, "days": days},
    )
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User) -> ApiToken:
    """Make a token useless at once.

    Raises:
        Refused: it belongs to somebody else.
        WrongState: it is revoked already.
    """
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    ensure(rules.can_revoke_token(by, token))
    token.revoked_at = timezone.now()
    token.save()
    record(EventType.TOKEN_REVOKED, target=token, project=None, by=by)
    return token


def service_account() -> User:
    """Return the account that background work acts as; a migration created it."""
    return User.objects.get(email=WORKER_EMAIL)


@transaction.atomic
def create_service_account() -> User:
    """Create the worker's account where it is missing, as migrations do."""
    worker, is_new = User.objects.get_or_create(
        email=WORKER_EMAIL,
        defaults={
            "full_name": "Worker",
            "kind": UserKind.SERVICE,
            "agency_roles": [WORKER.slug],
            "password": make_password(None),
        },
    )
    if is_new:
        record(EventType.ACCOUNT_CREATED, target=worker, project=None, by=worker)
    return worker


@transaction.atomic
def create_first_administrator(*, email: str, full_name: str, password: str) -> User:
    """Create the account that creates all others; only on an empty portal.

    Raises:
        Refused: there are people already.
        Invalid: the password is weak.
    """
    if User.objects.filter(kind=UserKind.PERSON).exists():
        raise Refused("This portal has accounts; ask an administrator for yours.")
    person = User(
        email=email.lower(), full_name=full_name, agency_roles=["administrator"]
    )
    _check_password(password, person)
    person.set_password(password)
    person.save()
    record(
        EventType.ACCOUNT_CREATED,
        target=person,
        project=None,
        by=person,
        changes={"agency_roles": [[], person.agency_roles]},
    )
    return person


def _grantable(agency_roles: Sequence[str]) -> list[str]:
    known = {role.slug for role in GRANTABLE_AGENCY_ROLES}
    if unknown := sorted(set(agency_roles) - known):
        raise Invalid(
            f"These roles cannot be given agency-wide: {', '.join(unknown)}.",
            fields={"agency_roles": "Unknown role."},
        )
    return sorted(set(agency_roles))


def _check_password(password: str, person: User) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        reason = " ".join(error.messages)
        raise Invalid(reason, fields={"password": reason}) from error
