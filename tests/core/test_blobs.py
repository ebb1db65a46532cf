import hashlib
import io
import tempfile
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from apps.core import blobs

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
