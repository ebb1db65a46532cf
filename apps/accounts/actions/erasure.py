"""Erasing who somebody was: asked for by one administrator, done by another."""

from __future__ import annotations

from typing import Any, Final

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from apps.access.checks import ensure
from apps.accounts import rules
from apps.accounts.actions.sign_in import confirm_password
from apps.accounts.models import ApiToken, ErasureRequest, ErasureStatus, User
from apps.audit.event_types import EventType
from apps.audit.models import Disclosure, SavedFilter
from apps.audit.record import Entry, personal, record, record_many
from apps.core.errors import Invalid, WrongState

MAX_BASIS_CHARACTERS: Final = 2000
COMMITMENTS_PER_EVENT: Final = 1000  # 46 KB of the 64 KB that a body may have
_SIGN_IN_TABLES: Final = (AccessAttempt, AccessFailureLog, AccessLog)


@transaction.atomic
def request_erasure(*, person: User, legal_basis: str, by: User) -> ErasureRequest:
    """Ask that nothing in the portal says any more who `person` was.

    Args:
        person: whose account is closed already.
        legal_basis: the law or request that asks for it, without names.
        by: an administrator, never the person.

    Raises:
        Invalid: no legal basis is given, or it is too long.
        Refused: only an administrator may, and never for themselves.
        WrongState: the account is open, held, needed, asked for or erased already.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    ensure(rules.can_request_erasure(by, person))
    try:
        with transaction.atomic():
            erasure = ErasureRequest.objects.create(
                person=person, legal_basis=_checked(legal_basis), requested_by=by
            )
    except IntegrityError as error:
        raise WrongState("Somebody else asked for this already.") from error
    record(
        EventType.ACCOUNT_ERASURE_REQUESTED,
        target=person,
        project=None,
        by=by,
        changes={"request": str(erasure.pk)},
        reason=erasure.legal_basis,
    )
    return erasure


def approve_erasure(
    *, erasure: ErasureRequest, password: str, by: User
) -> ErasureRequest:
    """Erase the person: what names them goes, every event and proof stays.

    Args:
        erasure: asked for by somebody else.
        password: of `by`, entered anew.
        by: an administrator, neither the one who asked nor the person.

    Raises:
        Refused: not this administrator.
        WrongPassword: the password is not theirs; counted against a lock.
        WrongState: it is decided already, or the person is held or needed.
    """
    confirm_password(by=by, password=password)
    with transaction.atomic():
        erasure, person = _locked(erasure)
        ensure(rules.can_approve_erasure(by, erasure))
        commitments = _redact(person)
        _forget(person)
        erasure.close(ErasureStatus.DONE, by)
        erasure.save()
        _record_redaction(erasure, person, commitments, by)
    return erasure


@transaction.atomic
def withdraw_erasure(*, erasure: ErasureRequest, by: User) -> ErasureRequest:
    """End a request; the person stays known.

    Raises:
        Refused: only an administrator may.
        WrongState: it is decided already.
    """
    erasure, person = _locked(erasure)
    ensure(rules.can_withdraw_erasure(by, erasure))
    erasure.close(ErasureStatus.WITHDRAWN, by)
    erasure.save()
    record(
        EventType.ACCOUNT_ERASURE_WITHDRAWN,
        target=person,
        project=None,
        by=by,
        changes={"request": str(erasure.pk)},
    )
    return erasure


def _checked(legal_basis: str) -> str:
    basis = legal_basis.strip()
    if not basis or len(basis) > MAX_BASIS_CHARACTERS or "\x00" in basis:
        raise Invalid(
            f"Give the legal basis in at most {MAX_BASIS_CHARACTERS} characters.",
            fields={"legal_basis": "Missing, too long, or not plain text."},
        )
    return basis


def _locked(erasure: ErasureRequest) -> tuple[ErasureRequest, User]:
    person = User.objects.select_for_update().get(pk=erasure.person_id)
    erasure = ErasureRequest.objects.select_for_update().get(pk=erasure.pk)
    erasure.person = person
    return erasure, person


def _redact(person: User) -> list[str]:
    """Delete what commitments stand for, and give the commitments."""
    found = Disclosure.objects.about(person.pk, person.names)
    commitments = sorted(found.values_list("commitment", flat=True))
    found.delete()
    return commitments


def _forget(person: User) -> None:
    """Take the name out of the account and of what repeats it."""
    for table in _SIGN_IN_TABLES:
        table.objects.filter(username__iexact=person.email).delete()
    SavedFilter.objects.about(person.pk, [person.full_name, person.email]).forget()
    person.forget()
    person.save()
    tokens = ApiToken.objects.filter(user=person)
    tokens.filter(revoked_at__isnull=True).update(revoked_at=person.erased_at)
    tokens.update(name="Erased")
    for path in settings.ERASURE_STEPS:
        import_string(path)(person)


def _record_redaction(
    erasure: ErasureRequest, person: User, commitments: list[str], by: User
) -> None:
    """Name every commitment whose text is gone, so that none is missing unexplained."""
    told: dict[str, Any] = {
        "count": len(commitments),
        "legal_basis": erasure.legal_basis,
        "request": str(erasure.pk),
        "requested_by": personal(erasure.requested_by),
    }
    parts = [
        commitments[start : start + COMMITMENTS_PER_EVENT]
        for start in range(0, max(1, len(commitments)), COMMITMENTS_PER_EVENT)
    ]
    record_many(
        EventType.AUDIT_REDACTED,
        entries=[Entry(person, None, {**told, "commitments": part}) for part in parts],
        by=by,
    )
