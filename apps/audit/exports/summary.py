"""A summary to read: how many events of which kind, by whom, when, and how sealed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import IO, Any, Final

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import TruncDate

from apps.audit.event_types import EventType
from apps.audit.evidence import Tell, public_keys
from apps.audit.exports.chosen import Chosen
from apps.audit.models import AuditEvent, Checkpoint
from apps.audit.queries import with_names
from apps.core.typeset import typeset

MAX_BARS: Final = 62
MAX_PEOPLE: Final = 20
_PACKAGE, _TEMPLATE = "apps.audit.exports", "summary.typ"
_STEPS: Final = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
_FILTER_LABELS: Final = {
    "person": "Who",
    "type": "What",
    "target": "Object",
    "since": "From",
    "until": "To",
    "projects": "Projects",
    "request": "Request",
}


def write_summary(
    target: IO[bytes],
    chosen: Chosen,
    checkpoint: Checkpoint,
    *,
    at: datetime,
    tell: Tell,
) -> int:
    """Write the summary as PDF; texts of people reach it as data, never as markup.

    Args:
        target: open for writing.
        chosen: the events.
        checkpoint: what they are covered by.
        at: when the summary was asked for.
        tell: called when the events are counted.

    Returns:
        The number of events.
    """
    events = chosen.events()
    span = events.aggregate(count=Count("pk"), first=Min("at"), last=Max("at"))
    tell(span["count"])
    outcomes = _counts(events, "outcome")
    data = {
        "who": chosen.by.label,
        "at": _moment(at),
        "filter": _filter_lines(chosen),
        "count": f"{span['count']:,}",
        "span": [_moment(span["first"]), _moment(span["last"])],
        "actions": _by_action(events),
        "outcomes": [[name, f"{count:,}"] for name, count in outcomes],
        "people": _by_person(events, names=chosen.with_names),
        "bars": _by_time(events),
        "sealed": {
            "size": f"{checkpoint.size:,}",
            "at": _moment(checkpoint.created_at),
            "checkpoint": checkpoint.note,
            "keys": public_keys(),
        },
    }
    target.write(typeset(_PACKAGE, _TEMPLATE, data, at=at))
    return int(span["count"])


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "none"


def _filter_lines(chosen: Chosen) -> list[list[str]]:
    return [
        [
            _FILTER_LABELS.get(name, name.capitalize()),
            ", ".join(value) if isinstance(value, list) else value,
        ]
        for name, value in chosen.stated().items()
    ]


def _counts(events: QuerySet[AuditEvent], column: str) -> list[tuple[Any, int]]:
    """Count by a column, most first."""
    rows = events.order_by().values_list(column).annotate(count=Count("pk"))
    return list(rows.order_by("-count", column))


def _by_action(events: QuerySet[AuditEvent]) -> list[list[Any]]:
    known = dict(EventType.choices)
    return [
        [name, known.get(name, ""), f"{count:,}"]
        for name, count in _counts(events, "type")
    ]


def _by_person(events: QuerySet[AuditEvent], *, names: bool) -> list[list[Any]]:
    """Count by account, those with most events by name when names were asked for."""
    counts = _counts(events, "actor_id")
    found = []
    for actor_id, count in counts[:MAX_PEOPLE]:
        one = events.filter(actor_id=actor_id).order_by("-event_id")[:1]
        label = with_names(one)[0].actor_label if names else ""
        found.append([label, str(actor_id), f"{count:,}"])
    if rest := counts[MAX_PEOPLE:]:
        total = sum(count for _, count in rest)
        found.append([f"{len(rest)} more accounts", "", f"{total:,}"])
    return found


def _by_time(events: QuerySet[AuditEvent]) -> dict[str, Any]:
    """Count by day, or by month or year where there are too many days for a chart."""
    rows = (
        events.order_by().annotate(day=TruncDate("at", tzinfo=UTC)).values_list("day")
    )
    days: dict[date, int] = dict(rows.annotate(count=Count("pk")).order_by("day"))
    step, counts = _stepped(days)
    shown = sorted(counts.items())[-MAX_BARS:]
    return {"step": step, "counts": [[label, count] for label, count in shown]}


def _stepped(days: dict[date, int]) -> tuple[str, Counter[str]]:
    """Choose the smallest step of which there are not too many."""
    for step, form in _STEPS.items():
        counts: Counter[str] = Counter()
        for day, count in days.items():
            counts[day.strftime(form)] += count
        if len(counts) <= MAX_BARS:
            return step, counts
    return step, counts
