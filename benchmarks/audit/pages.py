"""What a page of the trail costs the database, whatever it is narrowed by."""

import time
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.audit.paging import page_of
from apps.audit.queries import AuditFilter
from benchmarks.audit.events import APART, BEGIN, PEOPLE, PROJECTS, WORDS
from benchmarks.measuring import Result

GOAL_MILLISECONDS = 20.0
PAGES = 40
P95 = 0.95


def measure(count: int) -> Iterator[Result]:
    reader = User.objects.create(
        email="auditor@agency.example", agency_roles=["auditor"]
    )
    random = Random(7)  # noqa: S311  # the same each time

    def day(share: float) -> str:
        return f"{BEGIN + count * share * APART:%Y-%m-%d}"

    def days() -> dict[str, str]:
        begin = BEGIN + random.randrange(count) * APART
        return {
            "since": f"{begin:%Y-%m-%d}",
            "until": f"{begin + timedelta(days=7):%Y-%m-%d}",
        }

    kinds = AuditEvent.objects.values_list("type", flat=True).distinct()[:20]
    filters: dict[str, Any] = {
        "everything": dict,
        "person, by name": lambda: {"person": f"Person {random.randrange(PEOPLE)} "},
        "person, by id": lambda: {
            "person": str(UUID(int=1 + random.randrange(PEOPLE)))
        },
        "action": lambda: {"type": random.choice(kinds)},
        "outcome": lambda: {"outcome": random.choice(["success", "denied", "error"])},
        "project": lambda: {
            "project": str(UUID(int=1000 + random.randrange(PROJECTS)))
        },
        "object": lambda: {
            "target": str(UUID(int=5000 + random.randrange(count // 40)))
        },
        "object, by name": lambda: {
            "target": f"damage-risk-{random.randrange(count // 40)}"
        },
        "request": lambda: {"request": f"{random.randrange(count):032x}"},
        "a week": days,
        "a frequent word": lambda: {"text": random.choice(WORDS)},
        "a rare word": lambda: {
            "text": f"word{random.randrange(count // 1000) * 1000}"
        },
        "action in a week": lambda: days() | {"type": random.choice(kinds)},
        "person in a week": lambda: (
            days() | {"person": f"Person {random.randrange(PEOPLE)} "}
        ),
        "a frequent word in a week": lambda: days() | {"text": random.choice(WORDS)},
        "before the first day": lambda: {"until": day(-0.1)},
    }
    for name, wanted in filters.items():
        times = sorted(
            _database_time(reader, AuditFilter(**wanted())) for _ in range(PAGES)
        )
        yield Result(
            f"page of {count:,} events by {name}, 95th percentile, against the goal",
            "ms",
            [times[int(PAGES * P95)]],
            [GOAL_MILLISECONDS],
        )


def _database_time(reader: User, wanted: AuditFilter) -> float:
    """Read a page as the view does; give the milliseconds spent in the database."""
    spent = 0.0

    def timed(execute: Any, *arguments: Any) -> Any:
        nonlocal spent
        started = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            spent += time.perf_counter() - started

    with connection.execute_wrapper(timed):
        page_of(reader, wanted)
    return spent * 1000
