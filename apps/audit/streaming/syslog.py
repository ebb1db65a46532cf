"""Syslog: RFC 5424 messages over TLS (RFC 5425), TCP (RFC 6587) or UDP (RFC 5426)."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from apps.audit.renderings import RENDERINGS
from apps.audit.renderings.entry import Entry, number_in, text_in
from apps.audit.streaming.targets import Target

TIMEOUT_SECONDS: Final = 15
MAX_DATAGRAM: Final = 8192  # bytes; RFC 5426 asks receivers for 2048 and lets them cut
READ_BYTES: Final = 4096
APP_NAME: Final = "mlops-portal"
FACILITY: Final = 13  # log audit
NOTICE: Final = 5
# Ours go from 1, informational, to 5, critical.
_SEVERITIES: Final = {1: 6, 2: 5, 3: 4, 4: 3, 5: 2}
_MAX_MSGID, _MAX_HOSTNAME = 32, 255
_LAST_SEQUENCE_ID: Final = 2**31 - 1
_NOT_PRINTABLE: Final = re.compile(r"[^!-~]")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def message_of(entry: Entry, rendering: str) -> bytes:
    """Write one message; its text is JSON in ASCII, so that no mark of UTF-8 leads it.

    `sequenceId` (RFC 5424, 7.3.1) counts the leaves from 1, so that a receiver sees
    both a gap and what came twice.
    """
    severity = _SEVERITIES.get(number_in(entry.facts, "severity", 0), NOTICE)
    host = text_in(entry.part("source"), "host") or socket.gethostname()
    header = " ".join(
        (
            f"<{FACILITY * 8 + severity}>1",
            entry.time if _TIME.fullmatch(entry.time) else "-",
            _printable(host, _MAX_HOSTNAME),
            APP_NAME,
            "-",
            _printable(entry.action, _MAX_MSGID),
            f'[meta sequenceId="{entry.leaf_index % _LAST_SEQUENCE_ID + 1}"]',
        )
    )
    text = json.dumps(RENDERINGS[rendering](entry), separators=(",", ":"))
    return f"{header} {text}".encode("ascii")


def _printable(text: str, most: int) -> str:
    return _NOT_PRINTABLE.sub("", text)[:most] or "-"


def send_over_tcp(target: Target, entries: Sequence[Entry]) -> None:
    """Send a batch over a connection of its own and wait until it was read."""
    with _connected(target) as connection:
        connection.sendall(b"".join(_counted(target, entries)))
        connection.shutdown(socket.SHUT_WR)
        _require_end(connection)


def send_over_tls(target: Target, entries: Sequence[Entry]) -> None:
    """The same, encrypted, to a server whose certificate is trusted here."""
    context = ssl.create_default_context()
    with (
        _connected(target) as bare,
        context.wrap_socket(bare, server_hostname=target.host) as connection,
    ):
        connection.sendall(b"".join(_counted(target, entries)))
        with suppress(
            ssl.SSLEOFError
        ):  # it read to our end, then closed without a word
            connection.unwrap()


def send_over_udp(target: Target, entries: Sequence[Entry]) -> None:
    """Hand a batch to the network, which confirms nothing."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        target.host, target.port, type=socket.SOCK_DGRAM
    )[0]
    with socket.socket(family, kind, protocol) as connection:
        connection.connect(address)
        for entry in entries:
            connection.send(_datagram(entry, target.rendering))


def _connected(target: Target) -> socket.socket:
    return socket.create_connection((target.host, target.port), TIMEOUT_SECONDS)


def _counted(target: Target, entries: Sequence[Entry]) -> Iterator[bytes]:
    for entry in entries:
        message = message_of(entry, target.rendering)
        yield b"%d %b" % (len(message), message)


def _require_end(connection: socket.socket) -> None:
    """Wait until the other side has closed too.

    A syslog server confirms nothing. But it closes only after it has read up to our
    end, and when it dies before, the connection is reset.
    """
    while connection.recv(READ_BYTES):
        pass


def _datagram(entry: Entry, rendering: str) -> bytes:
    message = message_of(entry, rendering)
    if len(message) <= MAX_DATAGRAM:
        return message
    return message_of(replace(entry, is_short=True), rendering)
