"""Accounts of people, and the one account of background work."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.access.checks import ensure
from apps.access.roles import GRANTABLE_AGENCY_ROLES
from apps.accounts import rules
from apps.accounts.models import User, UserKind
from apps.audit.event_types import EventType
from apps.audit.record import difference, personal, record
from apps.core.errors import Invalid, Refused

WORKER_EMAIL = "worker@service.invalid"
PROFILE_FIELDS = ("full_name", "title", "organisation")


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
            changes={
                name: [personal(person, text) for text in sides]
                for name, sides in changes.items()
            },
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


def service_account() -> User:
    """Return the account that background work acts as; a migration created it."""
    return User.objects.get(email=WORKER_EMAIL)


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
