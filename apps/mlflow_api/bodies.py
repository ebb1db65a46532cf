"""Bodies that are files: read piece by piece, with their size announced or not."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from django.http.request import UnreadablePostError

from apps.core.blobs import CHUNK_BYTES
from apps.core.errors import PortalError
from apps.experiments import parts
from apps.mlflow_api.errors import INVALID, MlflowError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from apps.core.blobs import Readable

# A program that is still sending reads no answer, and would only try again.
LONGEST_DRAIN_SECONDS = 60
BROKE_OFF = "The file broke off; send it again."


class FileBody:
    """The file that a request carries.

    Args:
        request: whose body nothing has read.

    Attributes:
        size_bytes: as announced; None when the body says itself where it ends.

    Raises:
        MlflowError: it comes in a coding that the server does not end.
    """

    def __init__(self, request: HttpRequest):
        claimed = request.headers.get("Content-Length", "")
        self._content: Readable = request
        self._read = 0
        self.size_bytes: int | None = int(claimed) if claimed.isdecimal() else 0
        if "Transfer-Encoding" in request.headers:
            self.size_bytes, self._content = None, _chunked(request)

    def read(self, size: int, /) -> bytes:
        """Give up to so many of the next bytes; none at the end.

        Raises:
            MlflowError: the body broke off.
        """
        try:
            chunk = self._content.read(size)
        except (OSError, UnreadablePostError) as error:
            raise MlflowError("BAD_REQUEST", BROKE_OFF) from error
        self._read += len(chunk)
        if not chunk and self.size_bytes not in (None, self._read):
            raise MlflowError("BAD_REQUEST", BROKE_OFF)
        return chunk

    @contextmanager
    def drained_when_refused(self) -> Iterator[None]:
        """Take in what is still being sent before a refusal is answered."""
        try:
            yield
        except (PortalError, MlflowError):
            end = time.monotonic() + LONGEST_DRAIN_SECONDS
            with suppress(MlflowError):
                while time.monotonic() < end and self.read(CHUNK_BYTES):
                    pass
            raise


def _chunked(request: HttpRequest) -> Readable:
    """Find the body that ends by itself; Django shows none without a length."""
    if not request.META.get("wsgi.input_terminated"):
        raise MlflowError(INVALID, "Send the length of the file as Content-Length.")
    return _Terminated(request.META["wsgi.input"])


class _Terminated:
    """A body that its sender ends; the server's own errors become those of reading."""

    def __init__(self, content: Readable):
        self._content = content

    def read(self, size: int, /) -> bytes:
        try:
            return self._content.read(size)
        except OSError:
            raise
        except Exception as error:  # of the server's parser, whichever server it is
            raise OSError(str(error)) from error


def claimed_room(body: FileBody) -> int:
    """Say how much room a file needs before it is looked at again.

    Raises:
        TooLarge: it announces more than the portal takes.
    """
    if body.size_bytes is None:
        return parts.LOOK_EVERY_BYTES
    parts.check_size(body.size_bytes)
    return body.size_bytes
