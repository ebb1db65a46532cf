"""A folder that the portal's machine sees.

Every step goes from an open folder to a name in it and follows no link, so that
whatever somebody puts there meanwhile, no path leads out.
"""

from __future__ import annotations

import errno
import heapq
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from apps.core.blobs import OnBytes
from apps.datasets.sources.places import (
    CHUNK_BYTES,
    PAGE_ENTRIES,
    Entry,
    Listing,
    SourceError,
    changed,
    file_parts_of,
    is_plain_name,
    parts_of,
)

_FOLDER = os.O_RDONLY | os.O_DIRECTORY
# A pipe or a device is opened without waiting, to see that it is none of ours.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_REASONS = {
    errno.ENOENT: "is not there (any more)",
    errno.EACCES: "cannot be read by the portal; ask who keeps the source",
    errno.EPERM: "cannot be read by the portal; ask who keeps the source",
    errno.ELOOP: "is a link, and links are not followed",
    errno.ENOTDIR: "is a link or no folder, and links are not followed",
    errno.ENXIO: "is no file",
}


@dataclass(frozen=True)
class FolderSource:
    """A source on a disk; `root` is the folder that nothing leads out of."""

    name: str
    root: Path

    def listing(self, folder: str, *, begins: str, after: str) -> Listing:
        """List folders and files, without links, devices and hidden names."""
        parts = parts_of(folder)
        with self._opened(parts) as here, os.scandir(here) as found:
            names = heapq.nsmallest(
                PAGE_ENTRIES + 1,
                (
                    each.name
                    for each in found
                    if each.name.startswith(begins)
                    and each.name > after
                    and _is_shown(each)
                ),
            )
            page = names[:PAGE_ENTRIES]
            entries = [_entry(name, parts, here) for name in page]
        more = len(names) > PAGE_ENTRIES
        return Listing(list(filter(None, entries)), page[-1] if more else "")

    def entry(self, path: str) -> Entry:
        """Describe one file."""
        *parts, name = file_parts_of(path)
        with self._opened(parts) as here, _file(name, here) as file:
            return _described(name, parts, os.fstat(file.fileno()))

    def copy(self, path: str, target: IO[bytes], on_bytes: OnBytes) -> None:
        """Copy one file whole."""
        *parts, name = file_parts_of(path)
        with self._opened(parts) as here, _file(name, here) as file:
            before = os.fstat(file.fileno())
            copied = 0
            for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
                target.write(chunk)
                copied += len(chunk)
                if copied > before.st_size:
                    raise changed(name)
                on_bytes(copied)
            after = os.fstat(file.fileno())
        if copied != before.st_size or _state(before) != _state(after):
            raise changed(name)

    @contextmanager
    def _opened(self, parts: list[str]) -> Iterator[int]:
        with _telling("The source"):
            here = os.open(self.root, _FOLDER)
        try:
            for part in parts:
                with _telling(part):
                    below = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)


@contextmanager
def _file(name: str, folder: int) -> Iterator[IO[bytes]]:
    with _telling(name):
        # Looked at first: to open some devices is to do something.
        _require_file(name, os.stat(name, dir_fd=folder, follow_symlinks=False))
        descriptor = os.open(name, _FILE, dir_fd=folder)
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        try:
            _require_file(name, os.fstat(descriptor))
            yield file
        finally:
            os.close(descriptor)


def _require_file(name: str, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise SourceError(f"{name} {_REASONS[errno.ELOOP]}.")
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(f"{name} is no file.")


@contextmanager
def _telling(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, "cannot be read")
        raise SourceError(f"{name} {reason}.") from error


def _is_shown(found: os.DirEntry[str]) -> bool:
    if not is_plain_name(found.name) or found.name.startswith("."):
        return False
    return found.is_dir(follow_symlinks=False) or found.is_file(follow_symlinks=False)


def _entry(name: str, parts: list[str], folder: int) -> Entry | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None  # removed a moment ago
    return _described(name, parts, found)


def _described(name: str, parts: list[str], found: os.stat_result) -> Entry:
    path = "/".join([*parts, name])
    if stat.S_ISDIR(found.st_mode):
        return Entry(name, path)
    modified = datetime.fromtimestamp(found.st_mtime, UTC)
    return Entry(name, path, found.st_size, modified)


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
