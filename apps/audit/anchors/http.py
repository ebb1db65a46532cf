"""One bounded request to a place outside: short time, little answer, no redirect."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from apps.audit.anchors.anchor import Unpublished

TIMEOUT_SECONDS: Final = 5
MAX_ANSWER_BYTES: Final = 64 * 1024
PIECE_BYTES: Final = 4096


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 becomes visible."""
        return self.body.decode(errors="replace")


def post(address: str, body: bytes, *, content_type: str) -> Answer:
    """Send a body and read the answer.

    Raises:
        Unpublished: no complete answer came in time.
    """
    parts = urlsplit(address)
    connection = _connect(parts.scheme, parts.hostname or "", parts.port)
    try:
        connection.request(
            "POST", parts.path or "/", body, {"Content-Type": content_type}
        )
        response = connection.getresponse()
        return Answer(response.status, _read(response))
    except (OSError, HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise Unpublished(f"{parts.hostname} does not answer: {reason}") from error
    finally:
        connection.close()


def _connect(scheme: str, host: str, port: int | None) -> HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
    return HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)


def _read(response: HTTPResponse) -> bytes:
    """Read with a deadline for the whole, since each piece restarts the time-out."""
    deadline, read = monotonic() + TIMEOUT_SECONDS, b""
    while piece := response.read1(PIECE_BYTES):
        read += piece
        if len(read) > MAX_ANSWER_BYTES:
            raise HTTPException("the answer is too long")
        if monotonic() > deadline:
            raise TimeoutError("the answer takes too long")
    return read
