"""A directory that another host shares: one file for each checkpoint, never changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from apps.audit.anchors.anchor import (
    Anchor,
    Contradicts,
    Log,
    Receipt,
    Statement,
    Unpublished,
)
from apps.audit.transparency.checkpoint import Checkpoint
from apps.audit.transparency.note import MAX_NOTE_BYTES, InvalidNote

MODE = 0o444
MAX_ATTEMPTS = 100  # names for one size, after writes that broke off


@dataclass(frozen=True)
class Directory(Anchor):
    """Keeps checkpoints as files `<origin>/<size>` below a folder that must exist."""

    kind: ClassVar[str] = "Directory"

    folder: Path

    def publish(self, statement: Statement, log: Log) -> Receipt:
        """Write a new file; an old one is never opened for writing."""
        try:
            self._require_what_was_written(statement.last, log)
            own = self._own(log)
            own.mkdir(exist_ok=True)
            self._write(own, statement, log)
        except OSError as error:
            raise Unpublished(f"{self.folder} cannot be written: {error}") from error
        return Receipt(statement.size)

    def look(self, log: Log) -> Checkpoint | None:
        """Find the largest checkpoint that the log signed."""
        try:
            self._require_folder()
            for path in self._newest_first(log):
                with suppress(InvalidNote):
                    return log.opened(_read(path))
        except OSError as error:
            raise Unpublished(f"{self.folder} cannot be read: {error}") from error
        return None

    def _own(self, log: Log) -> Path:
        return self.folder / quote(log.origin, safe="")

    def _require_folder(self) -> None:
        if not self.folder.is_dir():
            raise Unpublished(f"{self.folder} is gone: is the share mounted?")

    def _require_what_was_written(self, last: int, log: Log) -> None:
        """Notice the empty folder below a share that is no longer mounted."""
        self._require_folder()
        if last and not (self._own(log) / str(last)).exists():
            raise Unpublished(
                f"{self.folder} no longer holds the checkpoint of {last} events that "
                "was written there: is the share mounted, or were files removed?"
            )

    def _write(self, own: Path, statement: Statement, log: Log) -> None:
        """Write under the size, or beside a file whose writing broke off."""
        for number in range(MAX_ATTEMPTS):
            name = f"{statement.size}-{number}" if number else str(statement.size)
            try:
                _create(own / name, statement.note)
            except FileExistsError:
                if self._is_there(own / name, statement, log):
                    return
            else:
                return
        raise Unpublished(f"{own} is full of broken files for {statement.size} events.")

    def _is_there(self, path: Path, statement: Statement, log: Log) -> bool:
        """Say whether this file states the same; False when its writing broke off."""
        found = _read(path)
        if statement.note.startswith(found):
            return found == statement.note
        try:
            stated, wanted = log.opened(found), log.opened(statement.note)
        except InvalidNote as error:
            raise Unpublished(
                f"{path} is not what the sealer wrote: {error} Keep the file, and find "
                "out who can write there."
            ) from error
        if stated != wanted:
            raise Contradicts(f"{path} holds another tree of {statement.size} events.")
        return True

    def _newest_first(self, log: Log) -> Iterator[Path]:
        own = self._own(log)
        sizes: dict[str, int] = {}
        with suppress(FileNotFoundError), os.scandir(own) as entries:
            for entry in entries:
                size = entry.name.partition("-")[0]
                if size.isascii() and size.isdigit():
                    sizes[entry.name] = int(size)
        return (own / name for name in sorted(sizes, key=sizes.__getitem__)[::-1])


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_NOTE_BYTES).decode(errors="replace")


def _create(path: Path, text: str) -> None:
    """Create a file that did not exist, and return when disk and folder hold it."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    try:
        with os.fdopen(file, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
