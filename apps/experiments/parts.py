"""Files of runs on their way in, sent in numbered parts and in any order.

The parts of a file lie in a folder apart from the store, in one folder for each person.
Its name is a digest of the upload, its owner and the place of the file, so that nobody
can add to, or complete, what somebody else sends or what is sent to another place.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from apps.core import blobs
from apps.core.blobs import CHUNK_BYTES, Blob, OnBytes, Readable
from apps.core.disk import require_room_in, telling_no_room
from apps.core.errors import Invalid, PortalError, TooLarge, WrongState
from apps.core.ids import new_id

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User

MOST_PARTS = 10_000
# So often the room on the disk is looked at while a file comes in.
LOOK_EVERY_BYTES = 64 * 1024 * 1024
_FOLDER = "artifact-parts"
_DRAFT = ".draft"
_WHOLE = "whole"  # says what an upload became; what has it is over
# An upload that nobody went on with for so long makes way for another of its owner.
ABANDONED_SECONDS = 60 * 60


class NoSuchUpload(PortalError):
    """Nobody began to send this file in parts, or it was given up or cleared away."""

    status = 404
    code = "not_found"

    def __init__(self) -> None:
        super().__init__(
            "This upload in parts does not exist, or was given up. Send the file again."
        )


class TooManyUploads(WrongState):
    """Somebody has as much under way as one person may."""

    def __init__(self, most: str) -> None:
        super().__init__(
            f"You have {most} under way in parts, the most one person may have. Let "
            "one of the files arrive, or give it up, first."
        )


class Part(NamedTuple):
    """A part that came: its number from 1, and the SHA-256 that it was answered with.

    A part that is sent again is the same part.
    """

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
        return self._all_of_owner / hashlib.sha256(whose.encode()).hexdigest()

    @property
    def _all_of_owner(self) -> Path:
        return _root() / str(self.owner.pk)

    def begin(self) -> None:
        """Make room for the parts.

        Raises:
            NoRoom: the disk is full.
            TooManyUploads: the owner has as many under way as one may.
        """
        require_room_in(_root(), 0)
        with telling_no_room():
            self._all_of_owner.mkdir(exist_ok=True)
            with _locked(self._all_of_owner):
                _make_way(self._all_of_owner)
                self.folder.mkdir(exist_ok=True)

    def keep(self, number: int, content: Readable) -> Part:
        """Keep a part, in place of one that came before under its number.

        Raises:
            NoRoom: the disk is full; nothing of the part stays.
            NoSuchUpload: the upload was never begun, or is over.
            TooLarge: with the parts before, it is more than the portal takes.
            TooManyUploads: the owner has as much under way as one may.
        """
        folder = self.folder
        if not _is_open(folder):
            raise NoSuchUpload
        _check_share_of(self._all_of_owner)
        before = _bytes_in(folder, but=number)
        draft = folder / f"{number:05d}-{new_id().hex}{_DRAFT}"
        try:
            with telling_no_room(), draft.open("xb") as target:
                receipt = _copy(content, target, limiting(_root(), before=before))
            part = Part(number, receipt)
            kept = draft.replace(folder / _part_name(part))
        except FileNotFoundError as error:  # given up meanwhile
            raise NoSuchUpload from error
        finally:
            draft.unlink(missing_ok=True)
        if not _is_open(folder):  # completed meanwhile, without this part
            kept.unlink(missing_ok=True)
            raise NoSuchUpload
        for other in folder.glob(f"{number:05d}-*"):
            if other != kept and other.suffix != _DRAFT:
                other.unlink(missing_ok=True)
        return part

    def store(self, parts: Sequence[Part]) -> Blob:
        """Put the parts together in the store; asked again, say what was stored.

        Raises:
            Invalid: a part is missing, or is not what came.
            NoRoom: the store is full; the parts stay.
            NoSuchUpload: the upload was never begun, or was given up.
            TooLarge: together they are more than the portal takes.
        """
        folder = self.folder
        with _locked(folder):
            whole = folder / _WHOLE
            if whole.exists():
                sha256, size = whole.read_text().split()
                return Blob(sha256, int(size))
            paths = _checked(folder, parts)
            blob = _put_together(paths)
            _write_at_once(whole, f"{blob.sha256} {blob.size_bytes}")
            for path in folder.iterdir():
                if path != whole:
                    path.unlink(missing_ok=True)
            return blob

    def give_up(self) -> None:
        """Remove the parts; nothing happens when there are none."""
        _remove(self.folder)


def remove_old(before: float) -> None:
    """Remove uploads that nobody went on with.

    Args:
        before: Unix time in seconds; what was touched later stays.
    """
    for folder in _root().glob("*/*"):
        if _touched(folder) < before:
            _remove(folder)


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


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time begin, complete or remove: programs ask again.

    Raises:
        NoSuchUpload: there is no such folder, or it was removed meanwhile.
    """
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError as error:
        raise NoSuchUpload from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            raise NoSuchUpload
        yield
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    with suppress(NoSuchUpload), _locked(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _is_open(folder: Path) -> bool:
    return folder.is_dir() and not (folder / _WHOLE).exists()


def _make_way(all_of_owner: Path) -> None:
    """Let a person begin another upload, in place of those that were abandoned.

    Raises:
        TooManyUploads: there are none.
    """
    most = settings.UPLOADS_OPEN_LIMIT
    under_way = [one for one in all_of_owner.iterdir() if _is_open(one)]
    if len(under_way) < most:
        return
    abandoned = time.time() - ABANDONED_SECONDS
    left = [one for one in under_way if _touched(one) < abandoned]
    for one in left:
        _remove(one)
    if len(under_way) - len(left) >= most:
        raise TooManyUploads(f"{most} files")


def _check_share_of(all_of_owner: Path) -> None:
    most = settings.UPLOADS_OPEN_LIMIT_BYTES
    under_way = filter(_is_open, all_of_owner.iterdir())
    if sum(map(_bytes_in, under_way)) >= most:
        raise TooManyUploads(filesizeformat(most))


def _bytes_in(folder: Path, but: int = 0) -> int:
    """Count the bytes of the parts in a folder, of each number only the largest.

    What came under a number before, whole or not, makes way for what comes now.
    """
    sizes: dict[str, int] = defaultdict(int)
    for path in folder.iterdir():
        number, size = path.name.partition("-")[0], 0
        with suppress(FileNotFoundError):  # a draft, which has its name now
            size = path.stat().st_size
        sizes[number] = max(size, sizes[number])
    sizes.pop(f"{but:05d}", None)
    return sum(sizes.values())


def _touched(folder: Path) -> float:
    """Say when something last came to an upload, or left it."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _write_at_once(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all, whenever the process dies."""
    draft = path.with_suffix(_DRAFT)
    with draft.open("w") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    draft.replace(path)


def _part_name(part: Part) -> str:
    return f"{part.number:05d}-{part.receipt}"


def _copy(content: Readable, target: IO[bytes], on_bytes: OnBytes) -> str:
    """Copy `content` to its end; give its SHA-256."""
    size, digest = 0, hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        target.write(chunk)
        digest.update(chunk)
        size += len(chunk)
        on_bytes(size)
    return digest.hexdigest()


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
