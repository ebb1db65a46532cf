"""The audit trail and permissions, on a database of our own."""

# ruff: noqa: S608 - names in statements are our own
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.models import QuerySet
from guardian.shortcuts import assign_perm
from psycopg.types.json import Jsonb

from apps.access.grants import view_permission
from apps.accounts.models import User
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.queries import AuditFilter, matching
from apps.audit.record import record
from apps.core.ids import new_id
from apps.core.rest import keyset_page
from apps.datasets.models import Dataset
from apps.projects.models import Membership, Project
from benchmarks.measuring import REPEATS, Result, in_turn, milliseconds_each

NAME = "portal_benchmarks"
PAGES = 20  # read per repeat
PROJECTS = 20
RESTRICTED_EACH = 4  # every how many datasets of a project
GRANTS = 10  # what one person was granted one by one
FIELDS = [field for field in AuditEvent._meta.concrete_fields if not field.primary_key]
COLUMNS = ", ".join(str(field.column) for field in FIELDS)
INSERT = f"INSERT INTO audit_auditevent ({COLUMNS})"
# How generated events differ from the one they are made of: evenly, without a pattern.
VARIED = {
    "event_id": "gen_random_uuid()",
    "actor_id": "gen_random_uuid()",
    "type": "(%(types)s::text[])[1 + (hashint8(n) & 31)]",
    "actor_label": "'Person ' || (hashint8(n + 1) & 31)",
    "project_id": "(%(projects)s::uuid[])[1 + mod(abs(hashint8(n + 2)), 20)]",
    "request_id": "'request-' || n",
}


def measure(share: float) -> Iterator[Result]:
    with own_database():
        member = User.objects.create(email="member@agency.example")
        auditor = User.objects.create(
            email="auditor@agency.example", agency_roles=["auditor"]
        )
        projects = Project.objects.bulk_create(
            Project(slug=f"p-{n}", name=f"Project {n}", created_by=auditor)
            for n in range(PROJECTS)
        )
        Membership.objects.create(
            project=projects[0], user=member, role="data_scientist"
        )
        _edit(projects[0], member)  # what all other events are made of
        yield from _trail(projects, member, auditor, share)
        yield _recording(projects[0], member, int(1_000 * share))
        yield _datasets(projects, member, share)


@contextmanager
def own_database() -> Iterator[None]:
    """Create an empty database beside that of the environment; drop it at the end."""
    theirs = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = NAME
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(theirs, verbosity=0)


def _recording(project: Project, by: User, times: int) -> Result:
    event = _edit(project, by)
    values = {field.name: getattr(event, field.attname) for field in FIELDS}
    values["changes"] = Jsonb(values["changes"])
    bare_insert = f"{INSERT} VALUES ({', '.join(['%s'] * len(FIELDS))})"
    needed = ("user", "password", "host", "port")
    server = {key: connection.settings_dict[key.upper()] for key in needed}
    with psycopg.connect(dbname=NAME, autocommit=True, **server) as bare:

        def insert() -> None:
            bare.execute(bare_insert, [*(values | {"event_id": new_id()}).values()])

        ours, peer = in_turn(
            partial(milliseconds_each, partial(_edit, project, by), times),
            partial(milliseconds_each, insert, times),
        )
    name = "one audit event and its commit, against a bare INSERT through psycopg"
    return Result(name, "ms", ours, peer)


@transaction.atomic
def _edit(project: Project, by: User) -> AuditEvent:
    changes = {"name": ["Project", project.name]}
    kind = EventType.PROJECT_EDITED
    return record(kind, target=project, project=project, by=by, changes=changes)


def _trail(
    projects: list[Project], member: User, auditor: User, share: float
) -> Iterator[Result]:
    sizes = int(10_000 * share), int(200_000 * share)
    wanted = {
        "everything": (auditor, AuditFilter()),
        "one kind of event": (auditor, AuditFilter(type="dataset.created")),
        "one project": (auditor, AuditFilter(project=str(projects[1].pk))),
        "part of a person's name": (auditor, AuditFilter(person="Person 7")),
        "one request": (auditor, AuditFilter(request=f"request-{sizes[0]}")),
        "all that a member sees": (member, AuditFilter()),
    }
    found: dict[str, list[list[float]]] = {name: [] for name in wanted}
    for size in sizes:
        _grow_trail(size, projects)
        for name, (reader, narrow) in wanted.items():
            found[name].append(_page_times(partial(_events, reader, narrow)))
    for name, (few, many) in found.items():
        yield _growth(f"page of the trail, {name}", sizes, few, many)


def _events(reader: User, wanted: AuditFilter) -> QuerySet[AuditEvent]:
    return matching(AuditEvent.objects.visible_to(reader), wanted)


def _grow_trail(size: int, projects: list[Project]) -> None:
    chosen = ", ".join(VARIED.get(str(f.column), f"sample.{f.column}") for f in FIELDS)
    sample = "(SELECT * FROM audit_auditevent ORDER BY id LIMIT 1) AS sample"
    here = "(SELECT count(*) FROM audit_auditevent)"
    ids = [str(project.pk) for project in projects]
    with connection.cursor() as cursor:
        cursor.execute(
            f"{INSERT} SELECT {chosen} FROM {sample}, "
            f"generate_series({here} + 1, %(size)s) AS n",
            {"types": EventType.values, "projects": ids, "size": size},
        )
        cursor.execute("ANALYZE")


def _datasets(projects: list[Project], member: User, share: float) -> Result:
    sizes = int(1_000 * share), int(20_000 * share)
    times = []
    for done, size in zip((0, sizes[0]), sizes, strict=True):
        Dataset.objects.bulk_create(
            Dataset(
                project=projects[n % PROJECTS],
                name=f"dataset-{n}",
                is_restricted=n // PROJECTS % RESTRICTED_EACH == 0,
                created_by=member,
            )
            for n in range(done, size)
        )
        if not done:
            granted = projects[0].datasets.filter(is_restricted=True)[:GRANTS]
            assign_perm(view_permission(Dataset), member, list(granted))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        times.append(_page_times(partial(Dataset.objects.visible_to, member)))
    return _growth("page of visible datasets", sizes, *times)


def _page_times(rows: Callable[[], QuerySet[Any]]) -> list[float]:
    def read() -> None:
        keyset_page(rows(), after=None)

    return [milliseconds_each(read, PAGES) for _ in range(REPEATS)]


def _growth(
    name: str, sizes: tuple[int, int], few: list[float], many: list[float]
) -> Result:
    name = f"{name}: of {sizes[1]:,}, against the same of {sizes[0]:,}"
    return Result(name, "ms", many, few)
