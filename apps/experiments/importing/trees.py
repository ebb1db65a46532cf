"""Folders of files, on a disk or in a zip, read without following anything out."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from django.conf import settings

from apps.core.blobs import Readable
from apps.core.errors import Invalid
from apps.experiments.importing.records import Faults, Unreadable

LARGEST_TEXT = 20 * 1024 * 1024
MOST_FILES = 20_000
LONGEST_PATH = 600
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# Deflate cannot pack better than 1:1032; more is a lie.
LARGEST_RATIO = 1_100
ENCRYPTED = 0x1
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(NotImplementedError, OSError, OverflowError, ValueError),
)


class Tree(Protocol):
    """A folder of files; paths are relative and have slashes."""

    def folders(self, below: str) -> list[str]:
        """Name the folders directly in a folder, sorted; none where it is missing."""

    def files(self, below: str, faults: Faults) -> Iterator[str]:
        """Give the paths, below a folder, of all files in it, sorted folder by folder.

        What is neither a file nor a folder, such as a link, becomes a fault.
        """

    def has(self, path: str) -> bool:
        """Say whether there is such a file."""

    def open(self, path: str) -> AbstractContextManager[Readable]:
        """Open a file.

        Raises:
            Unreadable: there is none, or it is damaged.
        """


def read_text(tree: Tree, path: str) -> str:
    """Read a small file as text.

    Raises:
        Unreadable: there is none, it is large, or it is no UTF-8.
    """
    with tree.open(path) as file:
        content = file.read(LARGEST_TEXT + 1)
    if len(content) > LARGEST_TEXT:
        raise Unreadable(
            f"{path} is larger than {LARGEST_TEXT // 1024**2} MiB, which no such file "
            "of MLflow is."
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"{path} is no UTF-8 text (byte {error.start + 1}). Save it as UTF-8."
        ) from error


def read_lines(tree: Tree, path: str) -> Iterator[bytes]:
    """Give the lines of a file of any size.

    Raises:
        Unreadable: there is none, or a line is as long as no line should be.
    """
    with tree.open(path) as file:
        rest = b""
        while chunk := file.read(64 * 1024):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
            if len(rest) > LARGEST_TEXT:
                raise Unreadable(f"{path} has a line that never ends.")
        if rest:
            yield rest


class FolderTree:
    """A folder on this machine.

    Args:
        root: the folder; links in it are not followed.
    """

    def __init__(self, root: Path):
        self.root = root

    def folders(self, below: str) -> list[str]:
        try:
            with os.scandir(self.root / below) as found:
                folders = (e for e in found if e.is_dir(follow_symlinks=False))
                return sorted(e.name for e in folders if e.name.isprintable())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def files(self, below: str, faults: Faults) -> Iterator[str]:
        yield from self._files(below, "", faults)

    def _files(self, below: str, inner: str, faults: Faults) -> Iterator[str]:
        try:
            with os.scandir(self.root / below / inner) as found:
                entries = sorted(found, key=lambda one: one.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        except PermissionError:
            faults.add(f"{below}/{inner}: it may not be read.")
            return
        for entry in entries:
            path = f"{inner}/{entry.name}" if inner else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from self._files(below, path, faults)
            elif entry.is_file(follow_symlinks=False):
                yield path
            else:
                faults.add(f"{path}: it is a link or no file.")

    def has(self, path: str) -> bool:
        return (self.root / path).is_file()

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        flags = os.O_RDONLY | os.O_NOFOLLOW
        try:
            descriptor = os.open(self.root / path, flags)
        except OSError as error:
            raise Unreadable(f"{path} cannot be read: {error.strerror}.") from error
        with os.fdopen(descriptor, "rb") as file:
            yield file


class ZipTree:
    """What a zip holds, checked before anything of it is used.

    Args:
        content: of the zip; read as long as the tree is.

    Raises:
        Invalid: it is no zip, or holds what may not be in it; the sentence names the
            file.
    """

    def __init__(self, content: IO[bytes]):
        content.seek(0)
        try:
            self._zip = zipfile.ZipFile(content)
        except DAMAGED as error:
            raise _fault("The file is no zip, or is damaged. Zip it again.") from error
        entries = self._zip.infolist()
        if len(entries) > MOST_FILES:
            raise _fault(
                f"The zip holds {len(entries):,} files; up to {MOST_FILES:,} are "
                "taken. Remove what is not needed."
            )
        self._files: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            self._take(entry)
        _check_total(self._files.values())

    def _take(self, entry: zipfile.ZipInfo) -> None:
        path = _checked(entry)
        if entry.is_dir():
            return
        if path in self._files:
            raise _fault(f"The zip holds {path[:80]} twice. Keep one.")
        self._files[path] = entry

    def folders(self, below: str) -> list[str]:
        above = f"{below}/" if below else ""
        inner = (p.removeprefix(above) for p in self._files if p.startswith(above))
        return sorted({path.partition("/")[0] for path in inner if "/" in path})

    def files(self, below: str, faults: Faults) -> Iterator[str]:
        above = f"{below}/" if below else ""
        found = (p.removeprefix(above) for p in self._files if p.startswith(above))
        yield from sorted(found)

    def has(self, path: str) -> bool:
        return path in self._files

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        try:
            entry = self._files[path]
        except KeyError as error:
            raise Unreadable(f"The zip holds no {path}.") from error
        try:
            with self._zip.open(entry) as file:
                yield _Bounded(file, path, entry.file_size)
        except DAMAGED as error:
            raise Unreadable(f"{path} is damaged in the zip. Zip it again.") from error


class _Bounded:
    """Content that may not be longer than it was said to be."""

    def __init__(self, content: IO[bytes], path: str, size: int):
        self._content, self._path, self._left = content, path, size

    def read(self, size: int, /) -> bytes:
        chunk = self._content.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise Unreadable(f"{self._path} is larger than the zip says. Zip it again.")
        return chunk


def _checked(entry: zipfile.ZipInfo) -> str:
    """Take an entry that is a plain file or folder in the zip; give its path."""
    path = entry.filename.removesuffix("/")
    shown = repr(path[:80])
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
        raise _fault(
            f"{shown} leads out of the zip or is no path for a file. Zip the folder of "
            "the run itself."
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _fault(f"{shown} is a link or a device. Zip the file that it stands for.")
    if entry.flag_bits & ENCRYPTED:
        raise _fault(f"{shown} is encrypted. Zip without a password.")
    if entry.compress_type not in COMPRESSIONS:
        raise _fault(f"{shown} is packed in a way that is not read. Zip with deflate.")
    if entry.file_size > LARGEST_RATIO * max(entry.compress_size, 1):
        raise _fault(f"{shown} claims to be larger than its bytes in the zip can be.")
    return path


def _check_total(entries: Iterable[zipfile.ZipInfo]) -> None:
    total = sum(entry.file_size for entry in entries)
    most = settings.UNPACKED_LIMIT_BYTES
    if total > most:
        raise _fault(
            f"Unpacked, the zip would have {total / 1024**2:,.0f} MB; up to "
            f"{most / 1024**2:,.0f} MB are taken."
        )


def _fault(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"file": sentence})
