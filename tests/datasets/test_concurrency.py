"""Two people, or two clicks, at the same moment: real commits, real locks."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apps.core.errors import Invalid, PortalError, WrongState
from apps.datasets import actions, parts
from apps.jobs.actions import start_job
from tests.factories import datasets as factory
from tests.factories.uploads import CONTENT, begun, received

pytestmark = pytest.mark.usefixtures("committed")


def at_once(*works):
    """Run the works in threads that start together; give results or refusals."""
    barrier = Barrier(len(works))

    def run(work):
        try:
            barrier.wait(timeout=10)
            return work()
        except PortalError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_upload_version_at_once_numbers_without_gaps(world):
    by = world.data_scientist
    dataset = factory.dataset(world.project, by)

    found = at_once(
        *(
            lambda n=n: factory.version(dataset, by, content=f"a\n{n}\n".encode())
            for n in range(4)
        )
    )

    assert sorted(version.number for version in found) == [1, 2, 3, 4]


def test_upload_version_clicked_twice_adds_one(world):
    by = world.data_scientist
    dataset = factory.dataset(world.project, by)

    found = at_once(*[lambda: factory.version(dataset, by)] * 2)

    assert sum(isinstance(answer, Invalid) for answer in found) == 1
    assert dataset.versions.count() == 1


def test_create_dataset_clicked_twice_adds_one(world):
    found = at_once(*[lambda: factory.dataset(world.project, world.data_scientist)] * 2)

    assert sum(isinstance(answer, Invalid) for answer in found) == 1
    assert world.project.datasets.count() == 1


def test_start_job_at_once_claims_once(world):
    by = world.data_scientist
    waiting = factory.version(factory.dataset(world.project, by), by)

    found = at_once(
        *[lambda: start_job(model=type(waiting), pk=waiting.pk, by=world.worker)] * 3
    )

    assert [version.pk for version in found if version] == [waiting.pk]


def test_append_chunk_from_two_tabs_at_once_counts_once(world):
    by = world.data_scientist
    upload = begun(world.project, by)

    def send():
        return actions.append_chunk(upload=upload, offset=0, content=CONTENT, by=by)

    found = at_once(*[send] * 4)

    assert sum(isinstance(answer, actions.WrongOffset) for answer in found) == 3
    assert parts.path_of(upload).read_bytes() == CONTENT


def test_complete_upload_clicked_twice_makes_one_version(world):
    by = world.data_scientist
    upload = received(world.project, by)

    found = at_once(*[lambda: actions.complete_upload(upload=upload, by=by)] * 3)

    assert sum(isinstance(answer, WrongState) for answer in found) == 2
    assert world.project.datasets.get().versions.count() == 1


def test_start_upload_at_once_holds_to_the_limit(world, settings):
    settings.UPLOADS_OPEN_LIMIT = 2

    found = at_once(*[lambda: begun(world.project, world.data_scientist)] * 4)

    assert sum(isinstance(answer, WrongState) for answer in found) == 2
