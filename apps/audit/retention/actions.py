"""Archive, hold back and remove parts of the trail; each step is an event in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.audit.retention import rules
from apps.audit.retention.models import (
    HoldKind,
    LegalHold,
    PruneRequest,
    PruneStatus,
    Segment,
)
from apps.audit.retention.storage import require_intact, store_segment
from apps.audit.transparency.pruning import SEGMENT_LEAVES, segment_leaves
from apps.core.errors import Invalid, WrongState

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_REASON_CHARACTERS: Final = 2000
PLACE: Final = "file store of the portal"


@transaction.atomic
def archive_segment(*, number: int, by: User, leaves: int = SEGMENT_LEAVES) -> Segment:
    """Write a segment that is older than the retention time into a verified file.

    Args:
        number: of the segment, counted from 0.
        by: the account of background work.
        leaves: events of a segment; a power of two.

    Raises:
        Refused: somebody else asks.
        WrongState: it is not complete, too young, archived, or not what was sealed.
    """
    ensure(rules.can_archive_segment(by, number, leaves))
    segment = store_segment(segment_leaves(number, leaves=leaves))
    try:
        with transaction.atomic():
            segment.save(force_insert=True)
    except IntegrityError as error:
        raise WrongState(f"Segment {number} is being archived already.") from error
    record(
        EventType.AUDIT_SEGMENT_ARCHIVED,
        target=segment,
        project=None,
        by=by,
        changes=_facts(segment) | {"place": PLACE, "bytes": segment.archive_bytes},
    )
    return segment


@transaction.atomic
def download_archive(*, segment: Segment, by: User) -> str:
    """Give the digest under which the archive is stored, and keep who took it.

    Raises:
        Refused: only an auditor may.
    """
    ensure(rules.can_download_archive(by))
    record(
        EventType.AUDIT_ARCHIVE_DOWNLOADED,
        target=segment,
        project=None,
        by=by,
        changes=_facts(segment),
    )
    return segment.archive_sha256


@transaction.atomic
def request_prune(*, segment: Segment, reason: str, by: User) -> PruneRequest:
    """Ask that the events of a segment be removed from the database.

    Args:
        segment: archived, and the event of that sealed.
        reason: such as the records schedule that asks for it.
        by: an administrator.

    Raises:
        Invalid: no reason is given.
        Refused: not this person.
        WrongState: it is held, still needed, or asked for already.
    """
    ensure(rules.can_request_prune(by, segment))
    try:
        with transaction.atomic():
            prune = PruneRequest.objects.create(
                segment=segment, reason=_checked(reason), requested_by_id=by.pk
            )
    except IntegrityError as error:
        raise WrongState("Somebody else asked for this already.") from error
    _record(EventType.AUDIT_PRUNE_REQUESTED, prune, by, reason=prune.reason)
    return prune


@transaction.atomic
def approve_prune(*, prune: PruneRequest, by: User) -> PruneRequest:
    """Agree to a removal: from now on its events are not shown any more.

    Raises:
        Refused: not this person, or the one who asked.
        WrongState: it is decided, held or still needed.
    """
    prune = _locked(prune)
    ensure(rules.can_approve_prune(by, prune))
    _decide(prune, PruneStatus.APPROVED, by)
    _record(EventType.AUDIT_PRUNE_APPROVED, prune, by, reason=prune.reason)
    return prune


@transaction.atomic
def withdraw_prune(*, prune: PruneRequest, reason: str, by: User) -> PruneRequest:
    """Stop a removal before it is carried out; the events are shown again.

    Raises:
        Invalid: no reason is given.
        Refused: not this person.
        WrongState: it is carried out or stopped already.
    """
    prune = _locked(prune)
    ensure(rules.can_withdraw_prune(by, prune))
    reason = _checked(reason)
    _decide(prune, PruneStatus.WITHDRAWN, by)
    _record(EventType.AUDIT_PRUNE_WITHDRAWN, prune, by, reason=reason)
    return prune


@transaction.atomic
def prune_segment(*, prune: PruneRequest, by: User) -> Segment:
    """Carry out what two people agreed to; one hash of the segment stays.

    The archive is read and verified once more. The database checks by itself what it
    can, and refuses where it comes to another answer.

    Args:
        prune: agreed to, for longer than the time in which it can be stopped.
        by: the account of background work.

    Raises:
        Refused: somebody else asks.
        WrongState: it is not time, or held, or the archive is not whole.
    """
    prune = _locked(prune)
    segment = prune.segment
    ensure(rules.can_prune_segment(by, prune))
    require_intact(
        segment.archive_sha256,
        span=range(segment.first_leaf, segment.last_leaf + 1),
        root=bytes(segment.root),
    )
    prune.advance(PruneStatus.DONE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_prune_segment(%s, %s)", [segment.pk, prune.pk])
    prune.save()
    _record(EventType.AUDIT_SEGMENT_PRUNED, prune, by)
    return segment


@transaction.atomic
def place_hold(
    *,
    kind: str,
    reason: str,
    by: User,
    subject_id: UUID | None = None,
    object_id: str = "",
) -> LegalHold:
    """Keep everything about something from being removed or erased.

    Args:
        kind: the whole trail, a project, a person or an object.
        reason: such as the number of the case.
        by: an auditor.
        subject_id: of the project or the account.
        object_id: of the object, as events name it.

    Raises:
        Invalid: no reason is given, or not what is held.
        Refused: only an auditor may.
        WrongState: the same is held for the same reason.
    """
    ensure(rules.can_place_hold(by))
    hold = LegalHold(
        kind=_kind(kind, subject_id, object_id),
        subject_id=subject_id,
        object_id=object_id,
        reason=_checked(reason),
        placed_by_id=by.pk,
    )
    if hold.is_placed():
        raise WrongState("This is held already, for the same reason.")
    hold.save()
    record(
        EventType.AUDIT_HOLD_PLACED,
        target=hold,
        project=None,
        by=by,
        changes={"kind": hold.kind, "covered": str(subject_id or object_id)},
        reason=hold.reason,
    )
    return hold


@transaction.atomic
def lift_hold(*, hold: LegalHold, reason: str, by: User) -> LegalHold:
    """End a hold.

    Raises:
        Invalid: no reason is given.
        Refused: only an auditor may.
        WrongState: it is lifted already.
    """
    hold = LegalHold.objects.select_for_update().get(pk=hold.pk)
    ensure(rules.can_lift_hold(by, hold))
    reason = _checked(reason)
    hold.lifted_at, hold.lifted_by_id = timezone.now(), by.pk
    hold.save()
    record(EventType.AUDIT_HOLD_LIFTED, target=hold, project=None, by=by, reason=reason)
    return hold


def _locked(prune: PruneRequest) -> PruneRequest:
    locked = PruneRequest.objects.select_for_update(of=("self",))
    return locked.select_related("segment").get(pk=prune.pk)


def _decide(prune: PruneRequest, status: PruneStatus, by: User) -> None:
    prune.advance(status)
    prune.decided_by_id, prune.decided_at = by.pk, timezone.now()
    prune.save()


def _record(
    event: EventType, prune: PruneRequest, by: User, *, reason: str = ""
) -> None:
    record(
        event,
        target=prune.segment,
        project=None,
        by=by,
        changes=_facts(prune.segment) | {"request": str(prune.pk)},
        reason=reason,
    )


def _facts(segment: Segment) -> dict[str, int | str]:
    return {
        "first_leaf": segment.first_leaf,
        "last_leaf": segment.last_leaf,
        "root": bytes(segment.root).hex(),
        "sha256": segment.archive_sha256,
    }


def _kind(kind: str, subject_id: UUID | None, object_id: str) -> str:
    needs_subject = kind in {HoldKind.PROJECT, HoldKind.PERSON}
    is_whole = (
        kind in HoldKind.values
        and needs_subject == (subject_id is not None)
        and (kind == HoldKind.OBJECT) == bool(object_id)
        and "\x00" not in object_id
    )
    if not is_whole:
        raise Invalid("Say what is held, by its id.", fields={"covered": "Unknown."})
    return kind


def _checked(reason: str) -> str:
    text = reason.strip()
    if not text or len(text) > MAX_REASON_CHARACTERS or "\x00" in text:
        raise Invalid(
            f"Give the reason in at most {MAX_REASON_CHARACTERS} characters.",
            fields={"reason": "Missing, too long, or not plain text."},
        )
    return text
