"""Events as the portal writes them, made by the hundred thousand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from django.db import connection

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Disclosure
from apps.audit.personal import Personal
from apps.audit.record import _STORED, _event
from apps.core.ids import first_id_at

PEOPLE, PROJECTS = 200, 20
WORDS = (
    *("recall", "threshold", "drift", "subgroup", "cost"),
    *("radar", "runway", "engine", "season", "report"),
)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=20)
_COPY = f"COPY audit_auditevent ({', '.join(_STORED)}) FROM STDIN"


def people() -> list[tuple[UUID, str]]:
    """Make people for the events to name: id and commitment of each."""
    texts = [
        Personal(UUID(int=n + 1), f"Person {n} Of Office {n % 7} <p{n}@agency.example>")
        for n in range(PEOPLE)
    ]
    known = Disclosure.objects.committed(set(texts))
    return [(text.subject_id, known[text]) for text in texts]


def events(
    count: int, somebody: list[tuple[UUID, str]], *, start: int = 0
) -> Iterator[AuditEvent]:
    """Make events of about 850 bytes, one every 20 seconds from 2026 on.

    Half are of five kinds and ten people, as in a portal that is in use; one reason in
    a thousand holds a word of its own.
    """
    random = Random(start)  # noqa: S311  # the same each time
    kinds = [kind for kind in EventType if kind.outcome == "success"]
    for number in range(start, start + count):
        moment = BEGIN + number * APART
        few = number % 2 == 0
        kind = kinds[random.randrange(5 if few else len(kinds))]
        person, name = somebody[random.randrange(10 if few else PEOPLE)]
        project = UUID(int=1000 + random.randrange(PROJECTS))
        reason = " ".join(random.choices(WORDS, k=12))
        rare = f"word{number}" if number % 1000 == 0 else ""
        yield _event(
            {
                "v": 1,
                "id": str(_id_at(moment, random)),
                "time": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "action": kind.value,
                "outcome": kind.outcome,
                "severity": kind.severity,
                "actor": {
                    "id": str(person),
                    "name": {"commitment": name},
                    "roles": ["data_scientist"],
                    "type": "person",
                },
                "object": {
                    "id": str(UUID(int=5000 + number // 40)),
                    "name": f"damage-risk-{number // 40} version {number % 40}",
                    "path": f"/projects/p/models/damage-risk-{number // 40}/",
                    "type": "registry.modelversion",
                },
                "scope": {"project": str(project), "name": f"Project {project.int}"},
                "source": {"channel": "web", "host": "portal-web-1"},
                "request": {"id": f"{number:032x}", "route": "POST /models/edit/"},
                "changes": [
                    {"name": "state", "value": ["draft", "validated"]},
                    {"name": "seconds", "value": number % 977},
                ],
                "reason": f"{reason} {rare}".strip(),
            }
        )


def _id_at(moment: datetime, random: Random) -> UUID:
    return UUID(int=first_id_at(moment.timestamp()).int | random.getrandbits(62))


def fill(count: int, *, start: int = 0) -> None:
    """Put events into the trail, as if they had been recorded."""
    _copy(_COPY, events(count, people(), start=start))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE audit_auditevent")


def fill_pool(table: str, count: int) -> None:
    """Put events into a table of the benchmark, from which clients then take them."""
    statement = _COPY.replace("audit_auditevent", table)
    _copy(statement, events(count, people(), start=10_000_000))


def _copy(statement: str, rows: Iterator[AuditEvent]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for event in rows:
            copy.write_row([getattr(event, name) for name in _STORED])
