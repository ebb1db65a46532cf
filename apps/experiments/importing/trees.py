"""Folders of files, on a disk or in a zip, read without following anything out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings

from apps.core.blobs import Readable
from apps.core.zips import CheckedZip, ZipLimits
from apps.experiments.importing.records import Faults, Unreadable

LARGEST_TEXT = 20 * 1024 * 1024
MOST_FILES = 20_000


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
        ZipFault: it is no zip, or holds what may not be in it.
    """

    def __init__(self, content: IO[bytes]):
        self._zip = CheckedZip(
            content,
            ZipLimits(
                files=MOST_FILES,
                total_bytes=settings.UNPACKED_LIMIT_BYTES,
                file_bytes=settings.UPLOAD_TOTAL_LIMIT_BYTES,
            ),
        )

    def folders(self, below: str) -> list[str]:
        return sorted({p.partition("/")[0] for p in self._below(below) if "/" in p})

    def files(self, below: str, faults: Faults) -> Iterator[str]:
        yield from sorted(self._below(below))

    def has(self, path: str) -> bool:
        return path in self._zip.sizes

    def open(self, path: str) -> AbstractContextManager[Readable]:
        if not self.has(path):
            raise Unreadable(f"The zip holds no {path}.")
        return self._zip.open(path)

    def _below(self, folder: str) -> Iterator[str]:
        above = f"{folder}/" if folder else ""
        paths = self._zip.sizes
        return (path.removeprefix(above) for path in paths if path.startswith(above))
