import io

import pytest

from apps.core import blobs
from apps.jobs import leftovers, tasks
from tests.factories import datasets


@pytest.fixture(autouse=True)
def everything_is_old(settings):
    settings.BLOB_UNCLAIMED_SECONDS = -60


def is_there(digest: str) -> bool:
    try:
        blobs.open_blob(digest).close()
    except FileNotFoundError:
        return False
    return True


def test_content_that_no_row_names_is_removed(db, caplog):
    blob = blobs.store(io.BytesIO(b"stored by a worker that died"))

    tasks.remove_leftovers()

    assert not is_there(blob.sha256)
    assert blob.sha256 in caplog.text
    assert leftovers.remove_unclaimed_blobs() == 0


def test_content_that_a_column_names_stays(project, data_scientist):
    version = datasets.version(
        datasets.dataset(project, data_scientist), data_scientist
    )

    assert leftovers.remove_unclaimed_blobs() == 0
    assert is_there(version.original_sha256)


def test_content_that_a_document_names_stays(project, data_scientist):
    blob = blobs.store(io.BytesIO(b"named within a document"))
    version = datasets.version(
        datasets.dataset(project, data_scientist), data_scientist
    )
    version.failure_details = [{"file": {"digest": blob.sha256}}]
    version.save()

    assert leftovers.remove_unclaimed_blobs() == 0
    assert is_there(blob.sha256)
