"""Files kept by their content: the name of a blob is its SHA-256.

Whoever keeps a blob names it in a column of a model that ends with `sha256`. Until then
a mark beside the store remembers it, since a process may die between storing content
and committing the row: `jobs.leftovers` removes what no row names after a day.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from apps.core.disk import require_room_in, telling_no_room
from apps.core.ids import new_id

CHUNK_BYTES = 1024 * 1024
DRAFTS = "drafts"
PRIVATE = 0o600

_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS}

# Gets the number of bytes so far; may raise to stop.
OnBytes = Callable[[int], None]
MARKS = "unclaimed"  # the folder of the marks
MARK_SLASH = "~"  # what stands for a slash in the name of a mark


class Readable(Protocol):
    """What gives its bytes piece by piece, such as the body of a request."""

    def read(self, size: int, /) -> bytes:
        """Give up to so many of the next bytes; none at the end."""


class BlobDamaged(Exception):
    """The stored bytes no longer have the digest they were stored under."""


@dataclass(frozen=True)
class Blob:
    """Content that is in the store.

    Args:
        sha256: 64 hexadecimal digits.
        size_bytes: length of the content.
    """

    sha256: str
    size_bytes: int


def _name(sha256: str, shelf: str = "") -> str:
    return f"{shelf}{sha256[:2]}/{sha256}"


def store(
    content: IO[bytes], *, shelf: str = "", on_bytes: OnBytes = lambda _: None
) -> Blob:
    """Store `content`, once however often it comes.

    Under its digest the content is there whole or not at all: on a local disk it is
    written beside and moved.

    Args:
        content: a seekable binary file, never held in memory.
        shelf: a folder of its own, for what is removed again one day; ends with a
            slash. Equal content on another shelf stays.
        on_bytes: gets the number of bytes read so far, again and again.

    Raises:
        NoRoom: the disk is full; nothing of the content stays.
    """
    content.seek(0)
    if local_folder() is None:
        return _store_elsewhere(content, shelf, on_bytes)
    return _store_locally(content, shelf, on_bytes)


def store_stream(
    content: Readable, *, shelf: str = "", on_bytes: OnBytes = lambda _: None
) -> Blob:
    """Store what can be read once only; like `store`, and never held in memory.

    Raises:
        NoRoom: the disk is full; nothing of the content stays.
    """
    if local_folder() is not None:
        return _store_locally(content, shelf, on_bytes)
    with telling_no_room(), tempfile.TemporaryFile() as kept:
        _copy(content, kept, on_bytes)
        kept.seek(0)
        return _store_elsewhere(kept, shelf, lambda _: None)


def _store_locally(content: Readable, shelf: str, on_bytes: OnBytes) -> Blob:
    drafts = Path(default_storage.path(DRAFTS))
    with telling_no_room(), _draft_in(drafts) as (path, draft):
        blob = _copy(content, draft, on_bytes)
        draft.close()
        name = _name(blob.sha256, shelf)
        _mark(name)
        if not _is_whole(name, blob.size_bytes):
            _move(path, Path(default_storage.path(name)))
    return blob


def _move(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.chmod(default_storage.file_permissions_mode or PRIVATE)  # type: ignore[attr-defined]
    path.replace(target)


def adopt(path: Path, blob: Blob, *, shelf: str = "") -> None:
    """Store the file at `path`, of which the digest is known; the file stays.

    On the disk of the store it gets a second name, so that not even a large file is
    copied. Nobody may write to it from then on; remove it when its blob is counted on.

    Raises:
        NoRoom: the disk is full.
    """
    name = _name(blob.sha256, shelf)
    with telling_no_room():
        _mark(name)
    if _is_whole(name, blob.size_bytes):
        return
    target = local_folder(name)
    if target is None or not _link(path, target):
        store_path(path, shelf=shelf)


def _link(path: Path, target: Path) -> bool:
    """Give a file a second name; say whether its disk and that of the store allow."""
    draft = Path(default_storage.path(DRAFTS)) / str(new_id())
    with telling_no_room():
        draft.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.hardlink_to(path)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            return False
        _move(draft, target)
    return True


def shares_disk_with(folder: Path) -> bool:
    """Say whether `adopt` has nothing to copy of what lies in `folder`."""
    store = local_folder()
    if store is None:
        return False
    store.mkdir(parents=True, exist_ok=True)
    return folder.stat().st_dev == store.stat().st_dev


def require_room(size_bytes: int) -> None:
    """Go on only when the store has room; one elsewhere sees to its own.

    Raises:
        NoRoom: a file of this size would not fit.
    """
    if folder := local_folder():
        require_room_in(folder, size_bytes)


def local_folder(name: str = "") -> Path | None:
    """Give the path of something in the store; None when it is not on a local disk."""
    is_local = isinstance(default_storage, FileSystemStorage)
    return Path(default_storage.path(name)) if is_local else None


@contextmanager
def _draft_in(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, "wb") as draft:
        try:
            yield Path(name), draft
        finally:
            Path(name).unlink(missing_ok=True)


def remove_old_drafts(before: float) -> None:
    """Remove what killed processes left unfinished.

    Args:
        before: Unix time in seconds; what was changed later may be someone's work.
    """
    folder = local_folder(DRAFTS)
    for path in folder.glob("*") if folder else ():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()


def _copy(content: Readable, target: IO[bytes] | None, on_bytes: OnBytes) -> Blob:
    """Read `content` to its end, into `target` if there is one."""
    digest = hashlib.sha256()
    size = 0
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
        on_bytes(size)
    return Blob(digest.hexdigest(), size)


def _store_elsewhere(content: IO[bytes], shelf: str, on_bytes: OnBytes) -> Blob:
    blob = _copy(content, None, on_bytes)
    name = _name(blob.sha256, shelf)
    with telling_no_room():
        _mark(name)
        if not _is_whole(name, blob.size_bytes):
            default_storage.delete(name)
            content.seek(0)
            try:
                default_storage.save(name, File(content))
            except OSError:  # such as a full disk; half a file is of no use
                default_storage.delete(name)
                raise
    return blob


def _mark(name: str) -> None:
    """Remember that content came now which no row names yet."""
    mark = f"{MARKS}/{name.replace('/', MARK_SLASH)}"
    default_storage.delete(mark)  # a fresh one says a fresh time
    default_storage.save(mark, ContentFile(b""))


def unclaimed(before: datetime) -> dict[str, str]:
    """Find content stored before a moment that no row may name, by mark: its digest."""
    if not default_storage.exists(MARKS):
        return {}
    return {
        mark: mark.rpartition(MARK_SLASH)[2]
        for mark in default_storage.listdir(MARKS)[1]
        if default_storage.get_modified_time(f"{MARKS}/{mark}") < before
    }


def claim(mark: str) -> None:
    """Forget a mark, because a row names its content."""
    default_storage.delete(f"{MARKS}/{mark}")


def remove_unclaimed(mark: str) -> None:
    """Remove content that no row names, and its mark."""
    default_storage.delete(f"{MARKS}/{mark}")
    default_storage.delete(mark.replace(MARK_SLASH, "/"))


def _is_whole(name: str, size_bytes: int) -> bool:
    """Say whether the content is there; a killed process may have left a part of it."""
    return default_storage.exists(name) and default_storage.size(name) == size_bytes


def store_path(
    path: Path, *, shelf: str = "", on_bytes: OnBytes = lambda _: None
) -> Blob:
    """Store the file at `path`; the arguments are those of `store`."""
    with path.open("rb") as content:
        return store(content, shelf=shelf, on_bytes=on_bytes)


def remove(sha256: str, *, shelf: str) -> None:
    """Remove a blob from a shelf; nothing happens when it is gone already."""
    default_storage.delete(_name(sha256, shelf))


def open_blob(sha256: str, *, shelf: str = "") -> IO[bytes]:
    """Open a blob for reading.

    Raises:
        FileNotFoundError: nothing is stored under this digest.
    """
    return default_storage.open(_name(sha256, shelf), "rb")


def digest_of(sha256: str) -> str:
    """Read a blob and return the SHA-256 that it has now; empty when it is gone."""
    try:
        with open_blob(sha256) as content:
            return _copy(content, None, lambda _: None).sha256
    except FileNotFoundError:
        return ""


def copy_to(sha256: str, path: Path, on_bytes: OnBytes = lambda _: None) -> None:
    """Copy a blob to `path` and check it on the way.

    Args:
        sha256: of the blob.
        path: of the copy.
        on_bytes: gets the number of bytes copied so far, again and again.

    Raises:
        BlobDamaged: the bytes do not have the digest they are stored under.
        FileNotFoundError: nothing is stored under this digest.
        NoRoom: the disk that takes the copy is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with telling_no_room(), open_blob(sha256) as source, path.open("wb") as target:
        copied = _copy(source, target, on_bytes)
    if copied.sha256 != sha256:
        raise BlobDamaged(f"The stored file {sha256[:12]}… has changed on disk.")
