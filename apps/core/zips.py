"""Zips that people send, looked through before anything in them is used.

Nothing is unpacked to a disk here. Names, kinds, number and sizes are checked from the
directory of the zip, and no more of a file is read than the directory says.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from apps.core.blobs import Readable

MOST_DEEP = 40
LONGEST_PATH = 600
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# Deflate cannot pack better than 1:1032; more is a lie.
LARGEST_RATIO = 1_100
ENCRYPTED = 0x1
# What the directory of a zip has for each file: 46 bytes, its name and some times.
DIRECTORY_BYTES = 256
SMALLEST_DIRECTORY = 128 * 1024  # leaves room for the comment of a zip
SHOWN = 80
# ValueError: names that are no UTF-8, places before the beginning of the file.
_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(NotImplementedError, OSError, OverflowError, ValueError),
)


class ZipFault(Exception):
    """A zip holds what may not be in it; the sentence names the file."""


class ZipDamaged(ZipFault):
    """The bytes are no zip, or no longer what was packed."""


@dataclass(frozen=True)
class ZipLimits:
    """How much a zip may hold.

    Args:
        files: files and folders in it.
        total_bytes: of all files, unpacked.
        file_bytes: of one file, unpacked.
        depth: names in a path.
    """

    files: int
    total_bytes: int
    file_bytes: int
    depth: int = MOST_DEEP


class CheckedZip:
    """The files of a zip in which nothing is amiss.

    Args:
        content: of the zip, seekable; open as long as its files are read.
        limits: how much it may hold.

    Attributes:
        sizes: of its files, unpacked, by path.

    Raises:
        ZipDamaged: it is no zip.
        ZipFault: it holds what may not be in it.
    """

    def __init__(self, content: IO[bytes], limits: ZipLimits):
        self._zip = _opened(content, limits)
        self._limits = limits
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._folders: set[str] = set()
        for entry in self._zip.infolist():
            self._take(entry)
        if both := self._folders & self._entries.keys():
            raise ZipFault(
                f"{min(both)[:SHOWN]} is a file and a folder in the zip. Keep one."
            )
        self.sizes = {path: one.file_size for path, one in self._entries.items()}
        total, most = sum(self.sizes.values()), limits.total_bytes
        if total > most:
            raise ZipFault(
                f"Unpacked, the zip would have {_megabytes(total)}; up to "
                f"{_megabytes(most)} are taken."
            )

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        """Open a file of the zip; reading it may raise ZipDamaged.

        Raises:
            KeyError: there is no such file.
            ZipDamaged: it cannot be found where the zip says.
        """
        entry = self._entries[path]
        with _telling_damage(path):
            file = self._zip.open(entry)
        with file:
            yield _Bounded(file, path, entry.file_size)

    def _take(self, entry: zipfile.ZipInfo) -> None:
        path = _checked(entry, self._limits)
        self._folders.update(map(str, PurePosixPath(path).parents))
        if entry.is_dir():
            self._folders.add(path)
        elif path in self._entries:
            raise ZipFault(f"The zip holds {path[:SHOWN]} twice. Keep one.")
        else:
            self._entries[path] = entry


def _opened(content: IO[bytes], limits: ZipLimits) -> zipfile.ZipFile:
    content.seek(0)
    most = max(limits.files * DIRECTORY_BYTES, SMALLEST_DIRECTORY)
    reading = _DirectoryReads(content, most)
    try:
        found = zipfile.ZipFile(reading)
    except _DAMAGES as error:
        raise ZipDamaged("The file is no zip, or is damaged. Zip it again.") from error
    reading.most = None
    if len(found.infolist()) > limits.files:
        raise ZipFault(
            f"The zip holds {len(found.infolist()):,} files; up to {limits.files:,} "
            "are taken. Remove what is not needed."
        )
    return found


class _DirectoryReads:
    """A zip, of whose directory no more comes into memory than `most` bytes at once."""

    def __init__(self, content: IO[bytes], most: int):
        self._content = content
        self.most: int | None = most

    def read(self, size: int = -1) -> bytes:
        if self.most is None:
            return self._content.read(size)
        too_many = self.most + 1
        chunk = self._content.read(too_many if size < 0 else min(size, too_many))
        if len(chunk) > self.most:
            raise ZipFault(
                "The zip holds more files than are taken, or their names are too "
                "long. Remove what is not needed."
            )
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)


class _Bounded:
    """Content that has just the length that the zip says."""

    def __init__(self, content: IO[bytes], path: str, size: int):
        self._content, self._path, self._left = content, path, size

    def read(self, size: int, /) -> bytes:
        with _telling_damage(self._path):
            chunk = self._content.read(size)
        self._left -= len(chunk)
        if self._left < 0 or (size and not chunk and self._left):
            raise ZipDamaged(
                f"{self._path} has another length than the zip says. Zip it again."
            )
        return chunk


@contextmanager
def _telling_damage(path: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        raise ZipDamaged(f"{path} is damaged in the zip. Zip it again.") from error


def _checked(entry: zipfile.ZipInfo, limits: ZipLimits) -> str:
    """Take an entry that is a plain file or folder in the zip; give its path."""
    path = entry.filename.removesuffix("/")
    shown = repr(path[:SHOWN])
    _check_path(path, entry, limits)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ZipFault(
            f"{shown} is a link or a device. Zip the file that it stands for."
        )
    if entry.flag_bits & ENCRYPTED:
        raise ZipFault(f"{shown} is encrypted. Zip without a password.")
    if entry.compress_type not in COMPRESSIONS:
        raise ZipFault(f"{shown} is packed in a way that is not read. Use deflate.")
    if entry.file_size > LARGEST_RATIO * max(entry.compress_size, 1):
        raise ZipFault(f"{shown} claims to be larger than its bytes in the zip can be.")
    if entry.file_size > limits.file_bytes:
        raise ZipFault(
            f"{shown} has {_megabytes(entry.file_size)}; a file of up to "
            f"{_megabytes(limits.file_bytes)} is taken."
        )
    return path


def _check_path(path: str, entry: zipfile.ZipInfo, limits: ZipLimits) -> None:
    parts = PurePosixPath(path).parts
    if (
        "/".join(parts) != path
        or not parts
        or ".." in parts
        or "\\" in path
        or len(path) > LONGEST_PATH
        or not path.isprintable()
        or entry.orig_filename.removesuffix("/") != path
    ):
        raise ZipFault(
            f"{path[:SHOWN]!r} leads out of the zip or is no path for a file. Zip the "
            "folder itself."
        )
    if len(parts) > limits.depth:
        raise ZipFault(
            f"{path[:SHOWN]!r} lies more than {limits.depth} folders deep. Zip a "
            "flatter folder."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MB"
