"""Delivery of one batch: it arrived as a whole, or it is sent again as a whole."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final

from apps.audit.renderings import line_of
from apps.audit.renderings.entry import Entry
from apps.audit.streaming import syslog
from apps.audit.streaming.targets import BadTarget, Target

TIMEOUT_SECONDS: Final = 15
_OK, _NO_LONGER_OK = 200, 300


class NotDelivered(Exception):
    """The target did not confirm a batch; the message says why, without secrets."""


def deliver(target: Target, entries: Sequence[Entry]) -> None:
    """Send a batch and wait until the target has confirmed all of it.

    Raises:
        NotDelivered: it has not; nothing can be said about parts of the batch.
    """
    try:
        _SENDERS[target.scheme](target, entries)
    except (OSError, HTTPException, BadTarget) as error:
        raise NotDelivered(str(error) or type(error).__name__) from error


def _post(target: Target, entries: Sequence[Entry]) -> None:
    headers = {
        "Content-Type": "application/x-ndjson",
        "User-Agent": "mlops-portal-audit-stream/1",
    }
    if secret := target.secret():
        headers["Authorization"] = secret
    body = b"".join(line_of(entry, target.rendering) for entry in entries)
    connection = _connection(target)
    try:
        connection.request("POST", target.path or "/", body, headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if not _OK <= status < _NO_LONGER_OK:
        raise NotDelivered(f"It answered {status}.")


def _connection(target: Target) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(target.host, target.port, timeout=TIMEOUT_SECONDS)
    return HTTPSConnection(
        target.host,
        target.port,
        timeout=TIMEOUT_SECONDS,
        context=ssl.create_default_context(),
    )


def _append(target: Target, entries: Sequence[Entry]) -> None:
    """Append to a file and wait for the disk; half a line of before is ended first."""
    body = b"".join(line_of(entry, target.rendering) for entry in entries)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with open(os.open(target.path, flags, 0o640), "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            body = b"\n" + body
        while body:
            body = body[file.write(body) :]
        os.fsync(file.fileno())


_SENDERS: Final[dict[str, Callable[[Target, Sequence[Entry]], None]]] = {
    "https": _post,
    "http": _post,
    "syslog+tls": syslog.send_over_tls,
    "syslog+tcp": syslog.send_over_tcp,
    "syslog+udp": syslog.send_over_udp,
    "file": _append,
}
