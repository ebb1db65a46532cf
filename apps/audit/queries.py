"""Filtering of the trail, and the lines of an export."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Func, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.audit.event_types import OUTCOMES, EventType
from apps.audit.models import AuditEvent, Disclosure
from apps.audit.personal import UNKNOWN, Personal, commitments_in, revealed
from apps.core.errors import Invalid
from apps.core.ids import first_id_at

CHUNK_ROWS = 2000
PULL_SESSION = timedelta(hours=1)
MAX_PROJECTS = 200  # events that name one
BESIDE_SECONDS = 1  # between the time of an event and that in its id
FARTHEST_FROM_UTC = timedelta(hours=14)  # of any place; Postgres takes less than 16
# Characters that make a spreadsheet read a cell as a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class AuditFilter:
    """Which events somebody wants to see; an empty value does not narrow.

    Args:
        person: part of the actor's name or address, or the id of the account.
        type: exact event type.
        outcome: success, failure, denied or error.
        project: id, or name without regard to case.
        target: id of the object, or beginnings of words of its name.
        since: first day or moment, UTC.
        until: last day or moment, UTC.
        text: beginnings of words of name, reason, project or changes.
        request: id of the HTTP request or task.
    """

    person: str = ""
    type: str = ""
    outcome: str = ""
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

    @property
    def recorded(self) -> dict[str, str | Personal]:
        """The same for an event: whom somebody looked for is personal."""
        given: dict[str, str | Personal] = {**self.given}
        if self.person and not _id(self.person):
            given["person"] = Personal(UNKNOWN, self.person)
        return given


def matching(events: QuerySet[AuditEvent], wanted: AuditFilter) -> QuerySet[AuditEvent]:
    """Narrow `events` to what is wanted.

    Raises:
        Invalid: a date is not a date, or the type is unknown.
    """
    if "\x00" in "".join(wanted.given.values()):
        raise Invalid("The filter contains a NUL character; remove it.")
    for name, narrow in _NARROWINGS.items():
        if value := getattr(wanted, name):
            events = narrow(events, value)
    return events


def with_names(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """Give events the names of the people in them, with one query for all."""
    rows = list(events)
    wanted = set().union(*(commitments_in(event.facts) for event in rows))
    texts = Disclosure.objects.texts(wanted)
    for event in rows:
        event.told = revealed(event.facts, texts)
    return rows


class _Words(Func):
    """The words of an event, as the index `audit_by_words` has them."""

    function = "audit_words"
    output_field = SearchVectorField()


def _containing(events: QuerySet[AuditEvent], value: str) -> QuerySet[AuditEvent]:
    words = [re.sub(r"[\\']", "", word) for word in value.split()]
    wanted = " & ".join(f"'{word}':*" for word in words if word)
    if not wanted:
        return events
    query = SearchQuery(wanted, search_type="raw", config="simple")
    return events.alias(words=_Words("body")).filter(words=query)


def _id(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _by_person(events: QuerySet[AuditEvent], value: str) -> QuerySet[AuditEvent]:
    if found := _id(value):
        return events.filter(actor_id=found)
    known = Disclosure.objects.filter(value__icontains=value).values("subject_id")
    return events.filter(actor_id__in=known)


def _of_project(events: QuerySet[AuditEvent], value: str) -> QuerySet[AuditEvent]:
    if found := _id(value):
        return events.filter(project_id=found)
    told = AuditEvent.objects.filter(type__in=_NAMING_A_PROJECT)
    named_so = [
        event.project_id
        for event in _containing(told, value)[:MAX_PROJECTS]
        if event.project_label.casefold() == value.casefold()
    ]
    return events.filter(project_id__in=named_so)


def _of_target(events: QuerySet[AuditEvent], value: str) -> QuerySet[AuditEvent]:
    if found := _id(value):
        return events.filter(target_id=str(found))
    return _containing(events, value)


def _type(value: str) -> str:
    if value not in EventType.values:
        raise Invalid(
            f"{value!r} is not a kind of event; the reference lists them all.",
            fields={"type": "Unknown kind of event."},
        )
    return value


def _outcome(value: str) -> str:
    if value not in OUTCOMES:
        raise Invalid(
            f"outcome must be one of {', '.join(OUTCOMES)}.",
            fields={"outcome": "Unknown outcome."},
        )
    return value


def _from(events: QuerySet[AuditEvent], moment: datetime) -> QuerySet[AuditEvent]:
    first = first_id_at(moment.timestamp() - BESIDE_SECONDS)
    return events.filter(at__gte=moment, event_id__gte=first)


def _upto(events: QuerySet[AuditEvent], moment: datetime) -> QuerySet[AuditEvent]:
    beyond = first_id_at(moment.timestamp() + BESIDE_SECONDS)
    return events.filter(at__lte=moment, event_id__lt=beyond)


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


_NAMING_A_PROJECT = (EventType.PROJECT_CREATED, EventType.PROJECT_EDITED)
_Events = QuerySet[AuditEvent]
_NARROWINGS: dict[str, Callable[[_Events, str], _Events]] = {
    "person": _by_person,
    "type": lambda events, value: events.filter(type=_type(value)),
    "outcome": lambda events, value: events.filter(outcome=_outcome(value)),
    "project": _of_project,
    "target": _of_target,
    "since": lambda events, value: _from(events, _moment("since", value)),
    "until": lambda events, value: _upto(events, _moment("until", value)),
    "text": _containing,
    "request": lambda events, value: events.filter(request_id=value),
}


def is_pulling(reader: UUID, first_index: int) -> bool:
    """Say whether an event of the last hour tells that `reader` pulls from here on."""
    begun_after = (timezone.now() - PULL_SESSION).timestamp()
    begun = AuditEvent.objects.filter(
        type=EventType.AUDIT_STREAMED,
        actor_id=reader,
        event_id__gte=first_id_at(begun_after),
    )
    newest = begun.order_by("-event_id").first()
    return newest is not None and newest.changes["first_index"] <= first_index


FIELDS = (
    "event_id",
    "at",
    "type",
    "outcome",
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


def _in_order(events: QuerySet[AuditEvent]) -> Iterator[AuditEvent]:
    rows = events.order_by("event_id").iterator(chunk_size=CHUNK_ROWS)
    while chunk := with_names(islice(rows, CHUNK_ROWS)):
        yield from chunk


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
