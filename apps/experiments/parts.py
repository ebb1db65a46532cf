"""Files of runs on their way in, sent in numbered parts and in any order.

The parts of a file lie in a folder apart from the store. Its name is a digest of the
upload, its owner and the place of the file, so that nobody can add to, or complete,
what somebody else sends or what is sent to another place.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from django.conf import settings

from apps.core import blobs
from apps.core.blobs import CHUNK_BYTES, Blob, OnBytes, Readable
from apps.core.disk import require_room_in, telling_no_room
from apps.core.errors import Invalid, PortalError, TooLarge
from apps.core.ids import new_id

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User

MOST_PARTS = 10_000
# So often the room on the disk is looked at while a file comes in.
LOOK_EVERY_BYTES = 64 * 1024 * 1024
_FOLDER = "artifact-parts"
_LOCK, _WHOLE = "lock", "whole"


class NoSuchUpload(PortalError):
    """Nobody began to send this file in parts, or it was given up or cleared away."""

    status = 404
    code = "not_found"

    def __init__(self) -> None:
        super().__init__(
            "This upload in parts does not exist, or was given up. Send the file again."
        )


class Part(NamedTuple):
    """A part that came: its number from 1, and the word that it was answered with."""

    number: int
    receipt: str


@dataclass(frozen=True)
class PartedFile:
    """A file that somebody sends in parts.

    Args:
        pk: of the upload.
        place: of the file, as its owner and path are addressed.
        owner: who sends it.
    """

    pk: UUID
    place: str
    owner: User

    @property
    def folder(self) -> Path:
        """Where the parts lie."""
        whose = f"{self.pk.hex}\n{self.owner.pk}\n{self.place}"
        return _root() / hashlib.sha256(whose.encode()).hexdigest()

    def begin(self) -> None:
        """Make room for the parts.

        Raises:
            NoRoom: the disk is full.
        """
        require_room_in(_root(), 0)
        with telling_no_room():
            self.folder.mkdir(parents=True, exist_ok=True)

    def keep(self, number: int, content: Readable) -> Part:
        """Keep a part, in place of one that came before under its number.

        Raises:
            NoRoom: the disk is full; nothing of the part stays.
            NoSuchUpload: the upload was never begun, or is over.
            TooLarge: with the parts before, it is more than the portal takes.
        """
        folder = self._existing()
        on_bytes = limiting(_root(), before=sum(map(_size_of, folder.iterdir())))
        part = Part(number, new_id().hex)
        draft = folder / f"{part.receipt}.draft"
        try:
            with telling_no_room(), draft.open("xb") as target:
                _copy(content, target, on_bytes)
            draft.replace(folder / _part_name(part))
        except FileNotFoundError as error:  # given up meanwhile
            raise NoSuchUpload from error
        finally:
            draft.unlink(missing_ok=True)
        return part

    def store(self, parts: Sequence[Part]) -> Blob:
        """Put the parts together in the store; asked again, say what was stored.

        Raises:
            Invalid: a part is missing, or is not what came.
            NoRoom: the store is full; the parts stay.
            NoSuchUpload: the upload was never begun, or was given up.
            TooLarge: together they are more than the portal takes.
        """
        with self._alone() as folder:
            whole = folder / _WHOLE
            if whole.exists():
                sha256, size = whole.read_text().split()
                return Blob(sha256, int(size))
            paths = _checked(folder, parts)
            blob = _put_together(paths)
            whole.write_text(f"{blob.sha256} {blob.size_bytes}")
            for path in folder.iterdir():
                if path.name not in (_LOCK, _WHOLE):
                    path.unlink(missing_ok=True)
            return blob

    def give_up(self) -> None:
        """Remove the parts; nothing happens when there are none."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _existing(self) -> Path:
        if not self.folder.is_dir():
            raise NoSuchUpload
        return self.folder

    @contextmanager
    def _alone(self) -> Iterator[Path]:
        """Let one process at a time complete the upload: programs ask again."""
        folder = self._existing()
        with (folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def remove_old(before: float) -> None:
    """Remove uploads that nobody went on with.

    Args:
        before: Unix time in seconds; what was touched later stays.
    """
    for folder in _root().glob("*"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)


def limiting(folder: Path | None, *, before: int = 0) -> OnBytes:
    """Make a watch over a file whose size nobody announced.

    Args:
        folder: on the disk that it is written to; None when that sees to itself.
        before: bytes of the same file that came earlier.

    Returns:
        What raises NoRoom or TooLarge as soon as the file cannot be kept.
    """
    looked_at = 0

    def look(size: int) -> None:
        nonlocal looked_at
        check_size(before + size)
        if folder and size >= looked_at:
            looked_at = size + LOOK_EVERY_BYTES
            require_room_in(folder, LOOK_EVERY_BYTES)

    return look


def check_size(size_bytes: int) -> None:
    """Take a file that is not too large.

    Raises:
        TooLarge: it is.
    """
    most = settings.UPLOAD_TOTAL_LIMIT_BYTES
    if size_bytes > most:
        raise TooLarge(
            f"The file is larger than the {most / 1024**2:,.0f} MB that the portal "
            "takes. Nothing was stored; send less."
        )


def folder() -> Path:
    """Where parts lie, all uploads together."""
    return _root()


def _root() -> Path:
    path = Path(settings.UPLOADS_DIR) / _FOLDER
    path.mkdir(parents=True, exist_ok=True)
    return path


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another number's draft, which has its name now
        return 0


def _part_name(part: Part) -> str:
    return f"{part.number:05d}-{part.receipt}"


def _copy(content: Readable, target: IO[bytes], on_bytes: OnBytes) -> None:
    size = 0
    while chunk := content.read(CHUNK_BYTES):
        target.write(chunk)
        size += len(chunk)
        on_bytes(size)


def _checked(folder: Path, parts: Sequence[Part]) -> list[Path]:
    """Find each part in the order of the numbers, which count up from 1."""
    parts = sorted(parts)
    if not parts or [one.number for one in parts] != list(range(1, len(parts) + 1)):
        raise Invalid("The parts of the file must be numbered from 1 without a gap.")
    paths = [folder / _part_name(one) for one in parts]
    for part, path in zip(parts, paths, strict=True):
        # The receipt comes from a program, and must not become another path.
        if not part.receipt.isalnum() or not path.is_file():
            raise Invalid(
                f"Part {part.number} of the file did not come, or is another than the "
                "one that is meant. Send it again."
            )
    return paths


def _put_together(paths: Sequence[Path]) -> Blob:
    size = sum(path.stat().st_size for path in paths)
    check_size(size)
    blobs.require_room(size)
    return blobs.store_stream(_Joined(paths))


class _Joined:
    """The content of files, one after the other."""

    def __init__(self, paths: Sequence[Path]):
        self._rest = iter(paths)
        self._open: IO[bytes] | None = None

    def read(self, size: int, /) -> bytes:
        while True:
            if self._open and (chunk := self._open.read(size)):
                return chunk
            if self._open:
                self._open.close()
            following = next(self._rest, None)
            if following is None:
                return b""
            self._open = following.open("rb")
            os.posix_fadvise(self._open.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
