"""A disk that is really full: said in words, nothing half written, all goes on."""

import hashlib
import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from apps.core import blobs
from apps.core.errors import NoRoom
from apps.datasets import actions, parts, tasks
from apps.datasets.models import UploadState
from tests.factories import datasets as factory
from tests.factories.uploads import begun, received

DISK_BYTES = 256 * 1024
LARGE = b"a,b\n" + b"1,2\n" * 50_000
SMALL = b"a,b\n1,2\n"


def can_mount(folder: Path) -> bool:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder]
    return os.geteuid() == 0 and not subprocess.run(mount, check=False).returncode


@pytest.fixture
def disk(tmp_path, settings) -> Iterator[Path]:
    """A small disk, with the check that foresees that it will be full put out."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not can_mount(folder):
        pytest.skip("only an account that may mount can make a small disk")
    settings.STORAGE_RESERVE_BYTES = -(2**40)
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def store_on_it(settings, disk) -> Path:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(disk / "blobs")},
        },
    }
    return disk


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", 0) as file:
        while True:
            file.write(b"x" * 4096)
    return ballast


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_store_leaves_nothing_of_what_does_not_fit(store_on_it):
    ballast = fill(store_on_it)
    os.truncate(ballast, DISK_BYTES // 2)

    with pytest.raises(NoRoom, match="disk of the portal is full"):
        blobs.store(io.BytesIO(LARGE))

    assert files_in(store_on_it) == [ballast]


def test_append_chunk_keeps_what_came_before(settings, project, data_scientist, disk):
    settings.UPLOADS_DIR = disk / "uploads"
    upload = begun(project, data_scientist, LARGE)

    def send(offset: int, content: bytes):
        return actions.append_chunk(
            upload=upload, offset=offset, content=content, by=data_scientist
        )

    send(0, LARGE[:4096])
    ballast = fill(disk)

    with pytest.raises(NoRoom, match="disk of the portal is full"):
        send(4096, LARGE[4096:])

    assert parts.path_of(upload).read_bytes() == LARGE[:4096]
    ballast.unlink()
    upload = send(4096, LARGE[4096:])
    upload = actions.complete_upload(upload=upload, by=data_scientist)
    assert upload.version.original_sha256 == hashlib.sha256(LARGE).hexdigest()


def test_complete_upload_can_be_repeated(project, data_scientist, store_on_it):
    upload = received(project, data_scientist, LARGE)
    ballast = fill(store_on_it)

    with pytest.raises(NoRoom):
        actions.complete_upload(upload=upload, by=data_scientist)

    upload.refresh_from_db()
    assert (upload.state, upload.version) == (UploadState.OPEN, None)
    assert not project.datasets.exists()
    assert files_in(store_on_it) == [ballast]
    ballast.unlink()
    upload = actions.complete_upload(upload=upload, by=data_scientist)
    assert files_in(store_on_it)[0].name == upload.version.original_sha256


def test_ingest_version_fails_in_words(project, data_scientist, store_on_it):
    dataset = factory.dataset(project, data_scientist)
    version = factory.version(dataset, data_scientist, SMALL)
    fill(store_on_it)
    before = files_in(store_on_it)

    tasks.ingest_version(pk=str(version.pk))

    version.refresh_from_db()
    assert (version.status, version.failure_code) == ("failed", "disk_full")
    assert "full" in version.failure_message
    assert files_in(store_on_it) == before
