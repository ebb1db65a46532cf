"""Filtering of the trail, and the lines of an export."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid

CHUNK_ROWS = 2000
PULL_SESSION = timedelta(hours=1)
FARTHEST_FROM_UTC = timedelta(hours=14)  # of any place; Postgres takes less than 16
# Characters that make a spreadsheet read a cell as a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class AuditFilter:
    """Which events somebody wants to see; an empty value does not narrow.

    Args:
        person: part of the actor's name or address.
        type: exact event type.
        project: id, or name without regard to case.
        target: id of the object, or part of its name.
        since: first day or moment, UTC.
        until: last day or moment, UTC.
        text: part of a reason.
        request: id of the HTTP request or task.
    """

    person: str = ""
    type: str = ""
    project: str = ""
    target: str = ""
    since: str = ""
    until: str = ""
    text: str = ""
    request: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> AuditFilter:
        """Read the filter of a query string; unknown names are left alone."""
        return cls(
            **{name: query.get(name, "").strip() for name in cls.__dataclass_fields__}
        )

    @property
    def given(self) -> dict[str, str]:
        """The values that narrow."""
        return {name: value for name, value in asdict(self).items() if value}


def matching(events: QuerySet[AuditEvent], wanted: AuditFilter) -> QuerySet[AuditEvent]:
    """Narrow `events` to what is wanted.

    Raises:
        Invalid: a date is not a date, or the type is unknown.
    """
    if "\x00" in "".join(wanted.given.values()):
        raise Invalid("The filter contains a NUL character; remove it.")
    for name, narrow in _NARROWINGS.items():
        if value := getattr(wanted, name):
            events = events.filter(narrow(value))
    return events


def _id_or(field: str, lookup: str, value: str) -> Q:
    condition = Q(**{f"{field}_label__{lookup}": value})
    try:
        return condition | Q(**{f"{field}_id": UUID(value)})
    except ValueError:
        return condition


def _type(value: str) -> Q:
    if value not in EventType.values:
        raise Invalid(
            f"{value!r} is not a kind of event; the reference lists them all.",
            fields={"type": "Unknown kind of event."},
        )
    return Q(type=value)


def _moment(name: str, value: str) -> datetime:
    try:
        moment = parse_datetime(value) if len(value) > len("2026-01-01") else None
        day = parse_date(value) if moment is None else None
    except ValueError:
        moment = day = None
    if moment and abs(moment.utcoffset() or timedelta()) > FARTHEST_FROM_UTC:
        moment = None
    if day is not None:
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if name == "until":
            moment += timedelta(days=1) - timedelta.resolution
    if moment is None:
        raise Invalid(
            f"{name} must be a date such as 2026-01-31, or a moment such as "
            "2026-01-31T12:00:00Z.",
            fields={name: "Not a date."},
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_NARROWINGS: dict[str, Callable[[str], Q]] = {
    "person": lambda value: Q(actor_label__icontains=value),
    "type": _type,
    "project": lambda value: _id_or("project", "iexact", value),
    "target": lambda value: _id_or("target", "icontains", value),
    "since": lambda value: Q(at__gte=_moment("since", value)),
    "until": lambda value: Q(at__lte=_moment("until", value)),
    "text": lambda value: Q(reason__icontains=value),
    "request": lambda value: Q(request_id=value),
}


def is_pulling(reader: UUID, first_index: int) -> bool:
    """Say whether an event of the last hour tells that `reader` pulls from here on."""
    begun = AuditEvent.objects.filter(
        type=EventType.AUDIT_STREAMED,
        actor_id=reader,
        at__gt=timezone.now() - PULL_SESSION,
    )
    newest = begun.order_by("-event_id").first()
    return newest is not None and newest.changes["first_index"] <= first_index


FIELDS = (
    "event_id",
    "at",
    "type",
    "actor_id",
    "actor_label",
    "actor_kind",
    "actor_roles",
    "target_type",
    "target_id",
    "target_label",
    "project_id",
    "project_label",
    "changes",
    "reason",
    "channel",
    "request_id",
)


def event_record(event: AuditEvent) -> dict[str, Any]:
    """Return one event as it stands in API and export."""
    record = {name: getattr(event, name) for name in FIELDS}
    record["event_id"] = str(event.event_id)
    record["actor_id"] = str(event.actor_id)
    record["project_id"] = str(event.project_id) if event.project_id else None
    record["at"] = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return record


def _in_order(events: QuerySet[AuditEvent]) -> Iterable[AuditEvent]:
    return events.order_by("pk").iterator(chunk_size=CHUNK_ROWS)


def json_lines(events: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """Write events as JSON Lines, oldest first, then a line with their number."""
    count = 0
    for count, event in enumerate(_in_order(events), start=1):  # noqa: B007
        yield json.dumps(event_record(event), ensure_ascii=False).encode() + b"\n"
    yield json.dumps({"events": count}).encode() + b"\n"


def csv_lines(events: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """Write events as CSV, oldest first; no cell can act as a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(FIELDS)
    for event in _in_order(events):
        yield _taken(buffer)
        writer.writerow([_cell(value) for value in event_record(event).values()])
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
