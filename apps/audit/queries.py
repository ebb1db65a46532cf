"""Filtering of the trail, and events as the API has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchVectorField
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.audit.event_types import OUTCOMES, EventType
from apps.audit.models import AuditEvent, Disclosure, Words
from apps.audit.personal import UNKNOWN, Personal, commitments_in, revealed
from apps.audit.words import id_in, subjects_named, words_of
from apps.core.errors import Invalid
from apps.core.ids import first_id_at

PULL_SESSION = timedelta(hours=1)
MAX_PROJECTS = 200  # events that name one
PERIODS = {"today": 0, "7d": 7, "30d": 30}  # days before today
BESIDE_SECONDS = 1  # between the time of an event and that in its id
FARTHEST_FROM_UTC = timedelta(hours=14)  # of any place; Postgres takes less than 16
LOWEST, HIGHEST = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True)
class AuditFilter:
    """Which events somebody wants to see; an empty value does not narrow.

    Args:
        person: beginnings of words of the actor's name or address, or the id of the
            account.
        type: event type, or all of one resource such as `approval.*`.
        outcome: success, failure, denied or error.
        project: id, or name without regard to case.
        target: id of the object, or beginnings of words of its name.
        period: the last days until now: today, 7d or 30d.
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
    period: str = ""
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
        if self.person and not id_in(self.person):
            given["person"] = Personal(UNKNOWN, self.person)
        return given


def fixed(wanted: AuditFilter) -> AuditFilter:
    """Say on which day a period began, so that the filter means the same tomorrow.

    Raises:
        Invalid: the period or the day is none.
    """
    if not wanted.period:
        return wanted
    began = _start_of(wanted.period)
    is_later = wanted.since and moment_of("since", wanted.since) > began
    since = wanted.since if is_later else f"{began:%Y-%m-%d}"
    return replace(wanted, period="", since=since)


def matching(events: QuerySet[AuditEvent], wanted: AuditFilter) -> QuerySet[AuditEvent]:
    """Narrow `events` to what is wanted.

    Raises:
        Invalid: a date is not a date, or the type is unknown.
    """
    events = _narrowed(events, wanted)
    for words in _searched(wanted):
        events = events.filter(words=words)
    return events


def matching_one_by_one(
    events: QuerySet[AuditEvent], wanted: AuditFilter
) -> QuerySet[AuditEvent]:
    """Narrow in the same way; words are read in each event, without their index."""
    read = Coalesce("words", Value("", output_field=SearchVectorField()))
    events = _narrowed(events, wanted).alias(read=read)
    for words in _searched(wanted):
        events = events.filter(read=words)
    return events


def _narrowed(
    events: QuerySet[AuditEvent], wanted: AuditFilter
) -> QuerySet[AuditEvent]:
    if "\x00" in "".join(wanted.given.values()):
        raise Invalid("The filter contains a NUL character; remove it.")
    for name, narrow in _NARROWINGS.items():
        if value := getattr(wanted, name):
            events = narrow(events, value)
    return events


def _searched(wanted: AuditFilter) -> list[Words]:
    """Give the words that are asked for, those of the object's name apart."""
    asked = [words_of(wanted.text)]
    if not id_in(wanted.target):
        asked.append(words_of(wanted.target, weight="A"))
    return [words for words in asked if words]


def with_names(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """Give events the names of the people in them, with one query for all."""
    rows = list(events)
    wanted = set().union(*(commitments_in(event.facts) for event in rows))
    texts = Disclosure.objects.texts(wanted)
    for event in rows:
        event.told = revealed(event.facts, texts)
    return rows


def types_in(value: str) -> list[str]:
    """List the kinds of events that `approval.*` or one name stands for.

    Raises:
        Invalid: there is no such kind.
    """
    resource = value.removesuffix("*") if value.endswith(".*") else ""
    types = [str(one) for one in EventType.values if one == value]
    if resource:
        types = [str(one) for one in EventType.values if one.startswith(resource)]
    if not types:
        raise Invalid(
            f"{value!r} is not a kind of event; the reference lists them all.",
            fields={"type": "Unknown kind of event."},
        )
    return types


def id_range(wanted: AuditFilter) -> tuple[UUID, UUID]:
    """Give the lowest id of an event that is wanted, and the lowest beyond them."""
    start = [moment_of("since", wanted.since)] if wanted.since else []
    start += [_start_of(wanted.period)] if wanted.period else []
    end = moment_of("until", wanted.until) if wanted.until else None
    return (
        max((_first_id(moment) for moment in start), default=LOWEST),
        _id_beyond(end) if end else HIGHEST,
    )


def _by_person(events: QuerySet[AuditEvent], value: str) -> QuerySet[AuditEvent]:
    return events.filter(actor_id__in=subjects_named(value))


def _of_project(events: QuerySet[AuditEvent], value: str) -> QuerySet[AuditEvent]:
    if found := id_in(value):
        return events.filter(project_id=found)
    told = AuditEvent.objects.filter(type__in=_NAMING_A_PROJECT)
    named_so = [
        event.project_id
        for event in matching(told, AuditFilter(text=value))[:MAX_PROJECTS]
        if event.project_label.casefold() == value.casefold()
    ]
    return events.filter(project_id__in=named_so)


def _of_target(events: QuerySet[AuditEvent], value: str) -> QuerySet[AuditEvent]:
    found = id_in(value)
    return events.filter(target_id=str(found)) if found else events


def _outcome(value: str) -> str:
    if value not in OUTCOMES:
        raise Invalid(
            f"outcome must be one of {', '.join(OUTCOMES)}.",
            fields={"outcome": "Unknown outcome."},
        )
    return value


def _start_of(period: str) -> datetime:
    if period not in PERIODS:
        known = ", ".join(PERIODS)
        raise Invalid(f"period must be {known}.", fields={"period": "Unknown."})
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=PERIODS[period])


def _first_id(moment: datetime) -> UUID:
    return first_id_at(moment.timestamp() - BESIDE_SECONDS)


def _id_beyond(moment: datetime) -> UUID:
    return first_id_at(moment.timestamp() + BESIDE_SECONDS)


def _from(events: QuerySet[AuditEvent], moment: datetime) -> QuerySet[AuditEvent]:
    return events.filter(at__gte=moment, event_id__gte=_first_id(moment))


def upto(events: QuerySet[AuditEvent], moment: datetime) -> QuerySet[AuditEvent]:
    """Narrow to what was recorded at a moment or before."""
    return events.filter(at__lte=moment, event_id__lt=_id_beyond(moment))


def moment_of(name: str, value: str) -> datetime:
    """Read a day or a moment of a filter; the end of the day when it is `until`.

    Raises:
        Invalid: it is neither.
    """
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
    "type": lambda events, value: events.filter(type__in=types_in(value)),
    "outcome": lambda events, value: events.filter(outcome=_outcome(value)),
    "project": _of_project,
    "target": _of_target,
    "period": lambda events, value: _from(events, _start_of(value)),
    "since": lambda events, value: _from(events, moment_of("since", value)),
    "until": lambda events, value: upto(events, moment_of("until", value)),
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
    """Return one event as it stands in the API."""
    record = {name: getattr(event, name) for name in FIELDS}
    record["event_id"] = str(event.event_id)
    record["actor_id"] = str(event.actor_id)
    record["project_id"] = str(event.project_id) if event.project_id else None
    record["at"] = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return record
