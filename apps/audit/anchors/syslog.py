"""One line in the log of another machine (RFC 5424), over UDP, TCP or a socket file."""

from __future__ import annotations

import os
import socket
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final

from apps.audit.anchors.anchor import Anchor, Log, Receipt, Statement, Unpublished

LOG_AUDIT: Final = 13  # facility
NOTICE: Final = 5  # severity
TIMEOUT_SECONDS: Final = 5
CLOSING_SECONDS: Final = 1


@dataclass(frozen=True)
class Syslog(Anchor):
    """Sends the checkpoint whole, as base64 of its bytes, so that a line is a copy."""

    kind: ClassVar[str] = "Syslog"

    family: socket.AddressFamily
    way: socket.SocketKind
    target: tuple[str, int] | str

    def publish(self, statement: Statement, log: Log) -> Receipt:
        """Send one line.

        Nobody confirms a line of syslog: that it was sent is all that is known.
        """
        line = line_of(statement, log.origin).encode()
        try:
            if self.way == socket.SOCK_STREAM:
                self._stream(line)
            else:
                self._datagram(line)
        except OSError as error:
            raise Unpublished(f"The line could not be sent: {error}") from error
        return Receipt(statement.size)

    def _datagram(self, line: bytes) -> None:
        with socket.socket(self.family, socket.SOCK_DGRAM) as sender:
            sender.settimeout(TIMEOUT_SECONDS)
            sender.connect(self.target)
            sender.send(line)

    def _stream(self, line: bytes) -> None:
        """Send with its length before it (RFC 6587), and see that nobody hangs up."""
        host = self.target[0], int(self.target[1])
        with socket.create_connection(host, timeout=TIMEOUT_SECONDS) as sender:
            sender.sendall(b"%d %s" % (len(line), line))
            sender.shutdown(socket.SHUT_WR)
            sender.settimeout(CLOSING_SECONDS)
            try:
                sender.recv(1)
            except TimeoutError:  # it stays open, as some do
                return


def line_of(statement: Statement, origin: str) -> str:
    """Write the line: what a person reads, and the checkpoint to decode."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    host = socket.gethostname()[:255] or "-"
    note = b64encode(statement.note.encode()).decode()
    return (
        f"<{LOG_AUDIT * 8 + NOTICE}>1 {now} {host} mlops-portal {os.getpid()} "
        f"checkpoint - origin={origin} size={statement.size} note={note}"
    )
