"""The folder of one attempt, and reading what an untrusted process left in it."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings

SUFFIX = ".job"
TAIL_BYTES = 2000
BLOCK_BYTES = 512  # the unit of st_blocks, whatever the disk's own is


@contextmanager
def job_folder(name: str) -> Iterator[Path]:
    """Make a private folder for one attempt and remove it afterwards.

    The folder is locked while its attempt goes on, so that what a killed worker left
    behind can be told from it.
    """
    settings.JOBS_DIR.mkdir(parents=True, exist_ok=True)
    with _locked(settings.JOBS_DIR):
        made = tempfile.mkdtemp(SUFFIX, f"{name}-", settings.JOBS_DIR)
        lock = os.open(made, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    folder = Path(made)
    try:
        for part in ("inputs", "outputs", "tmp"):
            (folder / part).mkdir()
        yield folder
    finally:
        remove(folder)
        os.close(lock)


def keep_only_outputs(folder: Path) -> None:
    """Remove all that a first run used and left, but what is in `outputs`."""
    for path in folder.iterdir():
        if path.name == "outputs":
            continue
        if path.is_dir() and not path.is_symlink():
            remove(path)
        else:
            path.unlink()
    for part in ("inputs", "tmp"):
        (folder / part).mkdir()


def remove_abandoned_folders() -> list[str]:
    """Remove the folders of attempts whose worker is gone; return their names."""
    if not settings.JOBS_DIR.is_dir():
        return []
    removed = []
    with _locked(settings.JOBS_DIR):
        for folder in settings.JOBS_DIR.glob(f"*{SUFFIX}"):
            with suppress(OSError), _locked(folder, wait=False):
                remove(folder)
                removed.append(folder.name)
    return removed


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a folder.

    Raises:
        BlockingIOError: another process holds it, and this one shall not wait.
    """
    lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(lock)


def remove(folder: Path) -> None:
    """Remove a folder, also one whose owner took away the right to."""

    def unlock(function: Any, path: str, _error: object) -> None:
        with suppress(OSError):
            Path(path).parent.chmod(stat.S_IRWXU)
            if not Path(path).is_symlink():
                Path(path).chmod(stat.S_IRWXU)
            if function is os.open or function is os.scandir:
                shutil.rmtree(path, ignore_errors=True)
            else:
                function(path)

    shutil.rmtree(folder, onerror=unlock)


@dataclass(frozen=True)
class Contents:
    """How much is in a folder.

    Args:
        size_bytes: what it takes on the disk, or its length where that is more.
        files: files, folders, links and all else.
    """

    size_bytes: int
    files: int


def measure(folder: Path, *, most_files: int) -> Contents:
    """Measure a folder; stop counting soon after `most_files`."""
    size_bytes = files = 0
    waiting = [folder]
    while waiting and files <= most_files:
        # What is being written may vanish between listing and asking.
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                files += 1
                about = entry.stat(follow_symlinks=False)
                size_bytes += max(about.st_size, about.st_blocks * BLOCK_BYTES)
                if stat.S_ISDIR(about.st_mode):
                    waiting.append(Path(entry.path))
                if files > most_files:
                    break
    return Contents(size_bytes, files)


def open_plain(path: Path) -> IO[bytes]:
    """Open a file that the child wrote.

    Raises:
        OSError: it is not there, or is a link, a pipe or anything but a file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is not a file")
    return os.fdopen(descriptor, "rb")


def is_plain(path: Path) -> bool:
    """Say whether there are only files and folders: a link could lead anywhere."""
    waiting = [path]
    while waiting:
        found = waiting.pop()
        kind = found.lstat().st_mode
        if stat.S_ISDIR(kind):
            waiting += found.iterdir()
        elif not stat.S_ISREG(kind):
            return False
    return True


def tail(path: Path) -> str:
    """Read the end of a file, or nothing when there is no such file."""
    with suppress(OSError), open_plain(path) as file:
        file.seek(max(os.fstat(file.fileno()).st_size - TAIL_BYTES, 0))
        return file.read(TAIL_BYTES).decode(errors="replace")
    return ""


def storable(value: Any) -> Any:
    """Replace what no text in the database can hold: NUL and halves of characters."""
    match value:
        case str():
            return (
                value.replace("\0", "\N{REPLACEMENT CHARACTER}")
                .encode(errors="replace")
                .decode()
            )
        case list():
            return [storable(item) for item in value]
        case dict():
            return {storable(key): storable(item) for key, item in value.items()}
    return value
