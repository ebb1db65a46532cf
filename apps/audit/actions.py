"""What a person can ask of the trail itself, and refusals kept after a rollback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.db import transaction

from apps.access.checks import ensure
from apps.audit import queries, rules
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.queries import AuditFilter
from apps.audit.record import record
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
        changes={"format": file_format, **wanted.given},
    )
    return WRITERS[file_format](events)


@transaction.atomic
def record_refusal(*, address: str, reason: str, by: User) -> None:
    """Keep that a rule refused `by`; the refused change itself left nothing."""
    ensure(rules.can_record_refusal(by))
    record(
        EventType.ACCESS_REFUSED,
        target=by,
        project=None,
        by=by,
        changes={"address": address[:300]},
        reason=reason,
    )
