"""Bodies that are files: read piece by piece, with their size announced or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http.request import UnreadablePostError

from apps.experiments import parts
from apps.mlflow_api.errors import INVALID, MlflowError

if TYPE_CHECKING:
    from django.http import HttpRequest

    from apps.core.blobs import Readable

BROKE_OFF = "The file broke off; send it again."


class FileBody:
    """The file that a request carries.

    Args:
        request: whose body nothing has read.

    Attributes:
        size_bytes: as announced; None when the body says itself where it ends.

    Raises:
        MlflowError: neither is so.
    """

    def __init__(self, request: HttpRequest):
        claimed = request.headers.get("Content-Length", "")
        self.size_bytes = int(claimed) if claimed.isdecimal() else None
        self._content: Readable = request
        self._read = 0
        if self.size_bytes is None:
            self._content = _chunked(request)

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


def _chunked(request: HttpRequest) -> Readable:
    """Find the body that ends by itself; Django shows none without a length."""
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    if not is_chunked or not request.META.get("wsgi.input_terminated"):
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
