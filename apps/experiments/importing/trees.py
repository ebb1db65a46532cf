"""Folders of files, on a disk or in a zip, read without following anything out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings

from apps.core.blobs import Readable
from apps.core.zips import MOST_DEEP, CheckedZip, ZipLimits
from apps.experiments.importing.records import Faults, Unreadable

# Of one run: what is described beside its points and files.
LARGEST_META = 1024 * 1024
LARGEST_VALUE = 128 * 1024  # of a parameter or a tag, in bytes
LONGEST_LINE = 64 * 1024
MOST_FILES = 20_000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


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


def read_text(tree: Tree, path: str, most: int) -> str:
    """Read a small file as text.

    Args:
        tree: holds it.
        path: of the file.
        most: bytes that it may have.

    Raises:
        Unreadable: there is none, it is large, or it is no UTF-8.
    """
    with tree.open(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Unreadable(
            f"{path} is larger than {most // 1024} KiB. No such file of MLflow is."
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
        while chunk := file.read(LONGEST_LINE):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
            if len(rest) > LONGEST_LINE:
                raise Unreadable(
                    f"{path} has a line of more than {LONGEST_LINE // 1024} KiB."
                )
        if rest:
            yield rest


class FolderTree:
    """A folder on this machine; no link in it is followed, wherever it leads.

    Args:
        root: the folder, which may be a link itself.
    """

    def __init__(self, root: Path):
        self._root = root.resolve()

    def folders(self, below: str) -> list[str]:
        try:
            with self._opened(below) as folder, os.scandir(folder) as found:
                folders = (e for e in found if e.is_dir(follow_symlinks=False))
                return sorted(e.name for e in folders if e.name.isprintable())
        except OSError:
            return []

    def files(self, below: str, faults: Faults) -> Iterator[str]:
        if stat.S_ISLNK(self._mode_of(below)):
            faults.add(f"{below}: it is a link, which is not followed.")
        waiting = self._inside(below, "", faults)
        while waiting:
            path, kind = waiting.pop()
            if kind == stat.S_IFREG:
                yield path
            elif kind != stat.S_IFDIR:
                faults.add(f"{path}: it is a link or no file.")
            elif path.count("/") >= MOST_DEEP:
                faults.add(f"{path[:200]}: it lies more than {MOST_DEEP} folders deep.")
            else:
                waiting += self._inside(below, path, faults)

    def has(self, path: str) -> bool:
        return stat.S_ISREG(self._mode_of(path))

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        above, name = os.path.split(path)
        try:
            with self._opened(above) as folder:
                descriptor = os.open(name, _FILE, dir_fd=folder)
        except OSError as error:
            raise Unreadable(f"{path} cannot be read: {error.strerror}.") from error
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable(f"{path} is no file.")
            yield _DiskFile(file, path)

    def _inside(self, below: str, inner: str, faults: Faults) -> list[tuple[str, int]]:
        """List a folder: each path and its kind, the first of them at the end."""
        try:
            with (
                self._opened("/".join(filter(None, (below, inner)))) as folder,
                os.scandir(folder) as found,
            ):
                names = [(one.name, _kind_of(one)) for one in found]
        except PermissionError:
            faults.add(f"{below}/{inner}: it may not be read.")
            return []
        except OSError:  # there is none
            return []
        above = f"{inner}/" if inner else ""
        return [(f"{above}{n}", kind) for n, kind in sorted(names, reverse=True)]

    def _mode_of(self, path: str) -> int:
        above, name = os.path.split(path)
        try:
            with self._opened(above) as folder:
                return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        except OSError:
            return 0

    @contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        """Open a folder name by name, so that no part of its path can be a link.

        Raises:
            OSError: there is none, or it lies elsewhere.
        """
        names = [name for name in path.split("/") if name]
        if ".." in names or path.startswith("/") or "\0" in path:
            raise FileNotFoundError(errno.ENOENT, "it is not in this folder")
        with ExitStack() as opened:
            folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
            opened.callback(os.close, folder)
            for name in names:
                folder = os.open(name, _FOLDER, dir_fd=folder)
                opened.callback(os.close, folder)
            yield folder


def _kind_of(entry: os.DirEntry[str]) -> int:
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    return stat.S_IFREG if entry.is_file(follow_symlinks=False) else stat.S_IFLNK


class _DiskFile:
    """A file whose disk may fail while it is read."""

    def __init__(self, content: IO[bytes], path: str):
        self._content, self._path = content, path

    def read(self, size: int, /) -> bytes:
        try:
            return self._content.read(size)
        except OSError as error:
            raise Unreadable(
                f"{self._path} cannot be read: {error.strerror}."
            ) from error


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
