"""The bytes of unfinished uploads, each a file in a folder apart from the store."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from apps.core.blobs import CHUNK_BYTES, Blob
from apps.core.disk import telling_no_room
from apps.core.errors import WrongState

if TYPE_CHECKING:
    from apps.datasets.models import Upload

_ENDING = ".part"


class PartLost(WrongState):
    """The bytes that the row counts are no longer on the disk."""

    def __init__(self) -> None:
        super().__init__(
            "What was sent of this file is no longer on the portal's disk. Cancel the "
            "upload and send the file again."
        )


def folder() -> Path:
    """Give the folder, made when it is not there."""
    path = Path(settings.UPLOADS_DIR)
    path.mkdir(parents=True, exist_ok=True)
    return path


def path_of(upload: Upload) -> Path:
    """Say where the bytes of an upload lie."""
    return folder() / f"{upload.pk}{_ENDING}"


def append(upload: Upload, content: bytes) -> None:
    """Put `content` behind the bytes that the row counts, down to the disk.

    What a killed process wrote beyond them is overwritten.

    Raises:
        NoRoom: the disk is full; the bytes before stay as they are.
        PartLost: there are fewer bytes than the row counts.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path_of(upload), flags, 0o600)
    with telling_no_room(), os.fdopen(descriptor, "wb") as part:
        if os.fstat(part.fileno()).st_size < upload.received_bytes:
            raise PartLost
        part.truncate(upload.received_bytes)
        part.seek(upload.received_bytes)
        try:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        except OSError:
            part.truncate(upload.received_bytes)
            raise


def digest(upload: Upload) -> Blob:
    """Digest all that was received.

    Raises:
        PartLost: the bytes are not all there.
    """
    sha256 = hashlib.sha256()
    try:
        with path_of(upload).open("rb") as part:
            size = os.fstat(part.fileno()).st_size
            for chunk in iter(lambda: part.read(CHUNK_BYTES), b""):
                sha256.update(chunk)
    except FileNotFoundError as error:
        raise PartLost from error
    if size != upload.size_bytes:
        raise PartLost
    return Blob(sha256.hexdigest(), size)


def remove(upload: Upload) -> None:
    """Remove the bytes of an upload; nothing happens when they are gone already."""
    path_of(upload).unlink(missing_ok=True)


def remove_strays(before: float, is_open: Callable[[UUID], bool]) -> None:
    """Remove files that no open upload counts on: a killed process left them.

    Args:
        before: Unix time in seconds; younger files stay.
        is_open: says whether there is such an upload.
    """
    for path, pk in _parts():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before and not is_open(pk):
                path.unlink()


def _parts() -> Iterator[tuple[Path, UUID]]:
    for path in folder().glob(f"*{_ENDING}"):
        with suppress(ValueError):
            yield path, UUID(path.stem)
