"""Room on the disks of the portal, and what to say when there is none."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from apps.core.errors import NoRoom

_FULL = {errno.ENOSPC, errno.EDQUOT}


def require_room_in(folder: Path, size_bytes: int) -> None:
    """Go on only when a file of `size_bytes` fits and the reserve stays free.

    Raises:
        NoRoom: it would not fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free - settings.STORAGE_RESERVE_BYTES
    if size_bytes > free:
        raise NoRoom(
            f"The portal has room for {filesizeformat(max(free, 0))}, and this needs "
            f"{filesizeformat(size_bytes)}. Nothing was stored; ask an administrator "
            "to make room, then try again."
        )


@contextmanager
def telling_no_room() -> Iterator[None]:
    """Turn the system's word for a full disk into ours.

    Raises:
        NoRoom: the disk, or the share of it that the portal may use, is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoom(
            "The disk of the portal is full. Nothing was stored; ask an administrator "
            "to make room, then try again."
        ) from error
