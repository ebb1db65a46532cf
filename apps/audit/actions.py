"""What a person can ask of the trail itself, and refusals kept after a rollback."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit import queries, rules
from apps.audit.body import flaw_of
from apps.audit.event_types import EventType
from apps.audit.evidence import write_evidence
from apps.audit.models import AuditEvent
from apps.audit.queries import AuditFilter
from apps.audit.record import record, record_independent
from apps.core.errors import Invalid

if TYPE_CHECKING:
    from apps.accounts.models import User

WRITERS = {"jsonl": queries.json_lines, "csv": queries.csv_lines}


@transaction.atomic
def export_audit_trail(
    *, wanted: AuditFilter, file_format: str, by: User
) -> Iterator[bytes]:
    """Export the events that `by` may export; the export itself is an event.

    Args:
        wanted: which events.
        file_format: jsonl or csv.
        by: an auditor, or a program manager for their projects.

    Returns:
        The file in pieces, oldest event first, read from the database as it is sent.

    Raises:
        Invalid: unknown format or filter.
        Refused: the person may not export.
    """
    ensure(rules.can_export_audit_trail(by))
    if file_format not in WRITERS:
        raise Invalid("format must be jsonl or csv.", fields={"format": "Unknown."})
    events = queries.matching(AuditEvent.objects.exportable_by(by), wanted)
    record(
        EventType.AUDIT_EXPORTED,
        target=by,
        project=None,
        by=by,
        changes={"format": file_format, **wanted.recorded},
    )
    return WRITERS[file_format](events)


@transaction.atomic
def export_audit_bundle(*, by: User) -> IO[bytes]:
    """Export the whole sealed trail, to be verified without the portal.

    Args:
        by: an auditor.

    Returns:
        The zip file, at its beginning; closing it deletes it. The event of the export
        keeps the digest of its manifest and is sealed after it.

    Raises:
        Refused: the person may not export the whole trail.
        WrongState: nothing is sealed yet.
    """
    ensure(rules.can_export_audit_bundle(by))
    bundle = TemporaryFile()  # noqa: SIM115  # the caller sends and closes it
    digest, count = write_evidence(bundle)
    bundle.seek(0)
    record(
        EventType.AUDIT_EXPORTED,
        target=by,
        project=None,
        by=by,
        changes={"format": "bundle", "events": count, "manifest_sha256": digest},
    )
    return bundle


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
    if not reason.strip():
        raise Invalid("Say what was found out.", fields={"reason": "Missing."})
    record(
        EventType.AUDIT_FLAW_ACCEPTED,
        target=event,
        project=None,
        by=by,
        changes={"flaw": flaw_of(event), "event_id": str(event.event_id)},
        reason=reason,
    )


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
