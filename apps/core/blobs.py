"""Files kept by their content: the name of a blob is its SHA-256.

Whoever keeps a blob names it in a column of a model that ends with `sha256`. Until then
a mark beside the store remembers it, since a process may die between storing content
and committing the row: `jobs.leftovers` removes what no row names after a day.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

CHUNK_BYTES = 1024 * 1024
MARKS = "unclaimed"  # the folder of the marks
MARK_SLASH = "~"  # what stands for a slash in the name of a mark


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


def store(content: IO[bytes], *, shelf: str = "") -> Blob:
    """Store `content`, once however often it comes.

    Args:
        content: a seekable binary file; read twice, never held in memory.
        shelf: a folder of its own, for what is removed again one day; ends with a
            slash. Equal content on another shelf stays.
    """
    digest = hashlib.sha256()
    size = 0
    content.seek(0)
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    blob = Blob(digest.hexdigest(), size)
    name = _name(blob.sha256, shelf)
    _mark(name)
    if not _is_whole(name, size):
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


def store_path(path: Path, *, shelf: str = "") -> Blob:
    """Store the file at `path`."""
    with path.open("rb") as content:
        return store(content, shelf=shelf)


def remove(sha256: str, *, shelf: str) -> None:
    """Remove a blob from a shelf; nothing happens when it is gone already."""
    default_storage.delete(_name(sha256, shelf))


def open_blob(sha256: str, *, shelf: str = "") -> IO[bytes]:
    """Open a blob for reading.

    Raises:
        FileNotFoundError: nothing is stored under this digest.
    """
    return default_storage.open(_name(sha256, shelf), "rb")


def copy_to(sha256: str, path: Path) -> None:
    """Copy a blob to `path` and check it on the way.

    Raises:
        BlobDamaged: the bytes do not have the digest they are stored under.
        FileNotFoundError: nothing is stored under this digest.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with open_blob(sha256) as source, path.open("wb") as target:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
    if digest.hexdigest() != sha256:
        raise BlobDamaged(f"The stored file {sha256[:12]}… has changed on disk.")
