"""Another system that is told: a real server on this machine."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.audit.streaming.conftest import certificate

__all__ = ["certificate"]


@dataclass
class Receiver:
    """What arrived, and what is answered."""

    port: int = 0
    status: int = 204
    headers: list[tuple[str, str]] = field(default_factory=list)
    arrived: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=hush"


class Quiet(HTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of a handshake that was broken off."""


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.arrived.append((dict(self.headers), body))
            self.send_response(found.status)
            for name, value in found.headers:
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with receiving() as found:
        yield found


@pytest.fixture
def encrypted(settings, certificate) -> Iterator[Receiver]:
    """One with a certificate for 127.0.0.1 that this machine trusts."""
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with receiving(certificate) as found:
        yield found
