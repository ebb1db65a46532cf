"""One try to deliver a message: signed, over a guarded connection, bounded in time."""

from __future__ import annotations

import hmac
import socket
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from typing import TYPE_CHECKING, Final

from apps.notices.guard import Destination, Forbidden, destination

if TYPE_CHECKING:
    from apps.notices.models import Delivery

STEP_SECONDS: Final = 10  # to connect, and for each piece of the answer
WHOLE_SECONDS: Final = 20  # for the whole answer
_OK, _NO_LONGER_OK = 200, 300


@dataclass(frozen=True)
class Outcome:
    """How one try went.

    Args:
        status: of the answer; None when there was none.
        failure: why it did not arrive, in a sentence; empty when it did.
        milliseconds: from beginning to end.
    """

    status: int | None
    failure: str
    milliseconds: int


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Sign a message at a moment, so that an old one cannot be sent again.

    Returns:
        HMAC-SHA256 over `timestamp.body`, 64 hexadecimal digits.
    """
    return hmac.digest(secret.encode(), f"{timestamp}.".encode() + body, "sha256").hex()


def send(delivery: Delivery) -> Outcome:
    """Try once; never raises for what the other side does."""
    began = time.monotonic()
    status = None
    try:
        status = _post(destination(delivery.webhook.url), delivery)
        failure = "" if _OK <= status < _NO_LONGER_OK else _refusal(status)
    except Forbidden as error:
        failure = str(error)
    except (OSError, HTTPException) as error:
        failure = f"No answer: {str(error) or type(error).__name__}"
    took = int((time.monotonic() - began) * 1000)
    return Outcome(status, failure[:300], took)


def _refusal(status: int) -> str:
    moved = " Redirects are not followed." if status // 100 == 3 else ""  # noqa: PLR2004  # the class of a status
    return f"It answered {status}.{moved}"


def _post(to: Destination, delivery: Delivery) -> int:
    """Send the message, and read how the answer begins; its content is not read."""
    body, now = delivery.body.encode(), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "mlops-portal-webhook/1",
        "X-Portal-Event": delivery.kind,
        "X-Portal-Delivery": str(delivery.pk),
        "X-Portal-Signature": f"t={now},v1="
        + signature(delivery.webhook.secret, now, body),
    }
    connection = _connection(to)
    try:
        connection.connect()
        # Whoever answers a letter at a time does not keep a worker.
        end = Timer(WHOLE_SECONDS, connection.sock.shutdown, [socket.SHUT_RDWR])
        end.daemon = True
        end.start()
        try:
            connection.request("POST", to.path, body, headers)
            return connection.getresponse().status
        finally:
            end.cancel()
    finally:
        connection.close()


def _connection(to: Destination) -> HTTPConnection:
    """Prepare a connection to the very address that the guard has seen."""
    made: HTTPConnection
    if to.scheme == "https":
        context = ssl.create_default_context()
        made = HTTPSConnection(to.host, to.port, timeout=STEP_SECONDS, context=context)
    else:
        made = HTTPConnection(to.host, to.port, timeout=STEP_SECONDS)

    def connect(_: object, timeout: float, __: object) -> socket.socket:
        return socket.create_connection((to.address, to.port), timeout)

    made._create_connection = connect  # type: ignore[attr-defined]  # no public way
    return made
