"""Pages of what a person may see, on a database of our own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from guardian.shortcuts import assign_perm

from apps.access.grants import view_permission
from apps.accounts.models import User
from apps.core.rest import keyset_page
from apps.datasets.models import Dataset
from apps.projects.models import Membership, Project
from benchmarks.measuring import REPEATS, Result, milliseconds_each

NAME = "portal_benchmarks"
PAGES = 20  # read per repeat
PROJECTS = 20
RESTRICTED_EACH = 4  # every how many datasets of a project
GRANTS = 10  # what one person was granted one by one


def measure(share: float) -> Iterator[Result]:
    with own_database():
        member = User.objects.create(email="member@agency.example")
        projects = Project.objects.bulk_create(
            Project(slug=f"p-{n}", name=f"Project {n}", created_by=member)
            for n in range(PROJECTS)
        )
        Membership.objects.create(
            project=projects[0], user=member, role="data_scientist"
        )
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
