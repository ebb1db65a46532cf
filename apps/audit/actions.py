"""What a person can ask of the trail itself, and refusals kept after a rollback."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit import queries, rules
from apps.audit.body import flaw_of
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Checkpoint, Key, StreamPosition
from apps.audit.proofs import proven
from apps.audit.record import record, record_independent
from apps.audit.renderings.entry import Entry
from apps.audit.streaming.source import covered_size, sealed_entries
from apps.audit.streaming.targets import BadTarget, target_named
from apps.core.errors import Invalid

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.audit.recovery import Loss

MAX_PULLED_BYTES = 4 * 1024 * 1024  # of the bodies in one answer


@transaction.atomic
def prove_event(*, event: AuditEvent, by: User) -> bytes:
    """Give one event with the proof that it is in the log.

    Args:
        event: one that `by` may read.
        by: whoever is signed in.

    Returns:
        A zip file that can be verified without the portal.

    Raises:
        NotSealed: the event waits for the sealer.
    """
    ensure(rules.can_prove_event(by, event))
    file = proven(event)
    record(
        EventType.AUDIT_VIEWED,
        target=by,
        project=None,
        by=by,
        changes={"proof_of": str(event.event_id)},
    )
    return file


@transaction.atomic
def accept_flawed_event(*, event: AuditEvent, reason: str, by: User) -> None:
    """Let an event be sealed as it lies although it was changed before.

    What was changed is not healed: the trail says for ever that this event cannot be
    relied on, who accepted that, and why.

    Args:
        event: what keeps the sealer from signing.
        reason: what was found out about it.
        by: an administrator.

    Raises:
        Invalid: there is no reason.
        Refused: the person may not.
        WrongState: the event is sealed already, or nothing is wrong with it.
    """
    ensure(rules.can_accept_flawed_event(by, event))
    _require_reason(reason, "Say what was found out.")
    record(
        EventType.AUDIT_FLAW_ACCEPTED,
        target=event,
        project=None,
        by=by,
        changes={"flaw": flaw_of(event), "event_id": str(event.event_id)},
        reason=reason,
    )


@transaction.atomic
def rotate_signing_key(*, vkey: str, until: datetime, reason: str, by: User) -> None:
    """Announce the key that signs the trail after the present one.

    Args:
        vkey: the public key to come; its private half waits on the sealer's machine.
        until: when the present key signs its last; both sign in between.
        reason: why the key is replaced.
        by: an administrator.

    Raises:
        Invalid: there is no reason.
        Refused: the person may not.
        WrongState: nothing is signed yet, or another rotation is under way.
    """
    ensure(rules.can_rotate_signing_key(by))
    _require_reason(reason, "Say why the key is replaced.")
    present = Key.objects.get(to_size=None)
    record(
        EventType.AUDIT_KEY_ROTATED,
        target=Checkpoint.objects.latest("size"),
        project=None,
        by=by,
        changes={"vkey": [present.vkey, vkey], "until": until.isoformat()},
        reason=reason,
    )


@transaction.atomic
def accept_loss(*, loss: Loss, reason: str, by: User) -> None:
    """Let the trail go on, as another log, although sealed events are lost.

    The event keeps the signed checkpoint of what was lost, for ever and for everybody.

    Args:
        loss: what was published, and what is left.
        reason: what was found out about it.
        by: an administrator.

    Raises:
        Invalid: there is no reason.
        Refused: the person may not.
        WrongState: nothing is lost.
    """
    ensure(rules.can_accept_loss(by, loss))
    _require_reason(reason, "Say what was found out.")
    record(
        EventType.AUDIT_HISTORY_GAP,
        target=loss.kept,
        project=None,
        by=by,
        changes=loss.facts(),
        reason=reason,
    )


@transaction.atomic
def stream_audit_trail(
    *, first_index: int, limit: int, rendering: str, by: User
) -> list[Entry]:
    """Hand out the next sealed events to a program that asks again and again.

    A program that asks every few seconds must not fill the trail with its own asking.
    So only the beginning is an event: the first answer with events in it of each hour,
    and any that reaches farther back than that one did.

    Args:
        first_index: the leaf to begin with.
        limit: events at most; large ones make it fewer.
        rendering: the form in which they will be written.
        by: an auditor.

    Raises:
        Refused: the person may not export the whole trail.
    """
    ensure(rules.can_stream_audit_trail(by))
    entries = sealed_entries(first_index, count=limit, max_bytes=MAX_PULLED_BYTES)
    if entries and not queries.is_pulling(by.pk, first_index):
        record(
            EventType.AUDIT_STREAMED,
            target=by,
            project=None,
            by=by,
            changes={"first_index": first_index, "format": rendering},
        )
    return entries


@transaction.atomic
def move_stream(*, name: str, next_index: int, reason: str, by: User) -> StreamPosition:
    """Let a stream go on from another leaf, for example after its target lost data.

    Args:
        name: of the target; it need not have got anything yet.
        next_index: the leaf that it gets next.
        reason: why.
        by: an administrator.

    Raises:
        Invalid: there is no such target, or no reason.
        Refused: the person may not.
        WrongState: so many leaves are not sealed.
    """
    ensure(rules.can_move_stream(by, next_index, covered_size()))
    if not reason.strip():
        raise Invalid("Say why it is moved.", fields={"reason": "Missing."})
    try:
        position = StreamPosition.objects.locked(target_named(name).name)
    except BadTarget as error:
        raise Invalid(str(error), fields={"name": "Unknown."}) from error
    before, position.next_index = position.next_index, next_index
    position.save()
    record(
        EventType.AUDIT_STREAM_MOVED,
        target=position,
        project=None,
        by=by,
        changes={"next_index": [before, next_index]},
        reason=reason,
    )
    return position


@transaction.atomic
def record_heartbeat(*, by: User) -> None:
    """Say that recording works, so that silence in the trail means something.

    Args:
        by: the portal's own account.

    Raises:
        Refused: nobody else may.
    """
    ensure(rules.can_record_heartbeat(by))
    record(EventType.AUDIT_HEARTBEAT, target=by, project=None, by=by)


@transaction.atomic
def record_view(*, what: dict[str, Any], by: User) -> None:
    """Keep that `by` read the trail, and which part.

    Args:
        what: the filter or the event, by name.
        by: whoever is signed in.
    """
    ensure(rules.can_record_view(by))
    record(EventType.AUDIT_VIEWED, target=by, project=None, by=by, changes=what)


def record_failure(*, address: str, error: str, by: User) -> None:
    """Keep that what `by` asked for met an error of ours, which undid it."""
    ensure(rules.can_record_refusal(by))
    record_independent(
        EventType.ACCESS_FAILED,
        target=by,
        project=None,
        by=by,
        changes={"address": address[:300], "error": error},
    )


def record_refusal(*, address: str, reason: str, by: User) -> None:
    """Keep that a rule refused `by`; the refused change itself left nothing."""
    ensure(rules.can_record_refusal(by))
    record_independent(
        EventType.ACCESS_REFUSED,
        target=by,
        project=None,
        by=by,
        changes={"address": address[:300]},
        reason=reason,
    )


def _require_reason(reason: str, sentence: str) -> None:
    if not reason.strip():
        raise Invalid(sentence, fields={"reason": "Missing."})
