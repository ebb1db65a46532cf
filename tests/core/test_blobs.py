import errno
import hashlib
import io
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, default_storage
from django.utils import timezone

from apps.core import blobs
from apps.core.errors import NoRoom

CONTENT = b"ten bytes!" * 10
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = f"{SHA256[:2]}/{SHA256}"


@pytest.fixture
def blob() -> blobs.Blob:
    return blobs.store(io.BytesIO(CONTENT))


def stored() -> bytes:
    with blobs.open_blob(SHA256) as content:
        return content.read()


def damage(content: bytes) -> None:
    default_storage.delete(NAME)
    default_storage.save(NAME, io.BytesIO(content))


def test_store_names_content_by_its_digest(blob):
    assert blob == blobs.Blob(SHA256, 100)
    assert stored() == CONTENT


def test_store_reads_from_the_beginning():
    content = io.BytesIO(CONTENT)
    content.read()

    assert blobs.store(content).sha256 == SHA256


def test_store_keeps_the_same_content_once(blob):
    again = blobs.store(io.BytesIO(CONTENT))

    assert again == blob
    assert default_storage.listdir(SHA256[:2]) == ([], [SHA256])


def test_store_completes_what_a_killed_process_left_half_written():
    damage(CONTENT[:30])

    blobs.store(io.BytesIO(CONTENT))

    assert stored() == CONTENT
    assert default_storage.listdir(SHA256[:2]) == ([], [SHA256])


def test_store_path_stores_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"")

    assert blobs.store_path(path) == blobs.Blob(hashlib.sha256(b"").hexdigest(), 0)


def test_copy_to_makes_the_folder_and_copies(blob, tmp_path):
    path = tmp_path / "new" / "copy"

    blobs.copy_to(SHA256, path)

    assert path.read_bytes() == CONTENT


def test_copy_to_notices_a_changed_file(blob, tmp_path):
    damage(CONTENT[:-1] + b"?")

    with pytest.raises(blobs.BlobDamaged, match="has changed on disk"):
        blobs.copy_to(SHA256, tmp_path / "copy")


def test_a_missing_blob_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        blobs.open_blob(SHA256)
    with pytest.raises(FileNotFoundError):
        blobs.copy_to(SHA256, tmp_path / "copy")


def test_adopt_gives_a_file_a_second_name(tmp_path, blob):
    path = tmp_path / "large"
    path.write_bytes(b"other")
    other = blobs.Blob(hashlib.sha256(b"other").hexdigest(), 5)

    blobs.adopt(path, other)

    stored_at = blobs.local_folder(f"{other.sha256[:2]}/{other.sha256}")
    assert stored_at.stat().st_ino == path.stat().st_ino
    assert not list(blobs.local_folder(blobs.DRAFTS).iterdir())


def test_adopt_replaces_what_a_killed_process_left_half_written(tmp_path, blob):
    damage(CONTENT[:30])
    path = tmp_path / "large"
    path.write_bytes(CONTENT)

    blobs.adopt(path, blob)

    assert stored() == CONTENT


OTHER_DISK = "/dev/shm"  # noqa: S108  # on a disk of its own, if it is there


@pytest.mark.skipif(not Path(OTHER_DISK).is_dir(), reason="there is no second disk")
def test_adopt_copies_from_another_disk(blob):
    default_storage.delete(NAME)
    with tempfile.NamedTemporaryFile(dir=OTHER_DISK) as file:
        file.write(CONTENT)
        file.flush()

        blobs.adopt(Path(file.name), blob)

        assert Path(file.name).exists()
    assert stored() == CONTENT


def test_store_tells_how_many_bytes():
    told = []

    blobs.store(io.BytesIO(CONTENT), on_bytes=told.append)

    assert told == [100]


class FullStore(InMemoryStorage):
    """A store elsewhere that takes the beginning of a file."""

    def _save(self, name, content):
        name = super()._save(name, ContentFile(content.read(10)))
        if content.size > 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return name


def test_store_leaves_nothing_in_a_full_store(monkeypatch):
    store = FullStore()
    monkeypatch.setattr(blobs, "default_storage", store)

    with pytest.raises(NoRoom, match="disk of the portal is full"):
        blobs.store(io.BytesIO(CONTENT))

    assert not store.exists(NAME)


def test_a_store_elsewhere_keeps_content(monkeypatch, tmp_path):
    monkeypatch.setattr(blobs, "default_storage", InMemoryStorage())
    path = tmp_path / "large"
    path.write_bytes(CONTENT)

    blobs.adopt(path, blobs.Blob(SHA256, 100))

    assert stored() == CONTENT
    assert not blobs.shares_disk_with(tmp_path)


class Once:
    """A body that can be read once only."""

    def __init__(self):
        self.read = io.BytesIO(CONTENT).read


@pytest.mark.parametrize("store", [None, InMemoryStorage()])
def test_a_stream_is_stored_wherever_the_store_is(monkeypatch, store):
    if store:
        monkeypatch.setattr(blobs, "default_storage", store)

    assert blobs.store_stream(Once()) == blobs.Blob(SHA256, 100)
    assert stored() == CONTENT


def test_stored_content_is_marked_until_a_row_names_it(blob):
    later = timezone.now() + timedelta(seconds=5)

    [(mark, digest)] = blobs.unclaimed(later).items()
    fresh = blobs.unclaimed(timezone.now() - timedelta(hours=1))
    blobs.claim(mark)

    assert digest == SHA256
    assert not fresh
    assert not blobs.unclaimed(later)
    assert stored() == CONTENT


def test_content_on_a_shelf_that_no_row_names_is_removed(blob):
    on_shelf = blobs.store(io.BytesIO(CONTENT), shelf="exports/")
    marks = blobs.unclaimed(timezone.now() + timedelta(seconds=5))

    [mark] = (mark for mark in marks if mark.startswith("exports"))
    blobs.remove_unclaimed(mark)

    assert on_shelf == blob
    assert stored() == CONTENT
    with pytest.raises(FileNotFoundError):
        blobs.open_blob(SHA256, shelf="exports/")
