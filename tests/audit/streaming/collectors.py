"""Systems outside that collect the trail, on this machine, and fail when asked to."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SYSLOG = re.compile(
    rb"<(?P<priority>\d+)>1 (?P<time>\S+) (?P<host>\S+) mlops-portal - (?P<msgid>\S+) "
    rb'\[meta sequenceId="(?P<sequence>\d+)"\] (?P<text>.*)'
)


@dataclass
class Collector:
    """What arrived, and what to do about what arrives next.

    Args:
        port: where it listens.
        answers: status of each next request, or `hang` or `drop`; then 200.
        batches: the lines of each accepted delivery.
        requests: the headers of each delivery, accepted or not.
    """

    port: int = 0
    answers: list[Any] = field(default_factory=list)
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    hang_seconds: float = 1.0

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for batch in self.batches for record in batch]

    @property
    def indexes(self) -> list[int]:
        return [record["leaf_index"] for record in self.records]


@contextmanager
def serving(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def http_collector(
    *answers: Any, port: int = 0, context: ssl.SSLContext | None = None
) -> Iterator[Collector]:
    """Listen for deliveries over HTTP, with TLS where a context is given."""
    collector = Collector(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.requests.append(dict(self.headers))
            collector.paths.append(self.path)
            answer = collector.answers.pop(0) if collector.answers else 200
            if answer == "hang":
                time.sleep(collector.hang_seconds)
            if answer in ("hang", "drop"):
                self.close_connection = True
                return
            if answer == 200:
                lines = body.decode().splitlines()
                collector.batches.append([json.loads(line) for line in lines])
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            pass  # a client that gave up is what some tests are about

    server = Server(("127.0.0.1", port), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    collector.port = server.server_address[1]
    with serving(server):
        yield collector


@contextmanager
def tcp_collector(
    *answers: Any, context: ssl.SSLContext | None = None
) -> Iterator[Collector]:
    """Listen for syslog with octet counting; answers: `reset`, `keep_open` or
    `talk`."""
    collector, ended = Collector(answers=list(answers)), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    collector.port = listener.getsockname()[1]

    def serve() -> None:
        while not ended.is_set():
            try:
                bare, _ = listener.accept()
            except TimeoutError:
                continue
            _receive(bare, collector, context)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        ended.set()
        thread.join()
        listener.close()


def _receive(
    bare: socket.socket, collector: Collector, context: ssl.SSLContext | None
) -> None:
    bare.settimeout(10)
    answer = collector.answers.pop(0) if collector.answers else "read"
    if answer == "reset":
        bare.recv(100)
        bare.close()  # with unread bytes, so the kernel resets the connection
        return
    try:
        connection = context.wrap_socket(bare, server_side=True) if context else bare
    except OSError:
        bare.close()
        return
    with connection:
        read = b""
        while piece := connection.recv(65536):
            read += piece
        collector.batches.append([parsed(each, collector) for each in counted(read)])
        if answer == "talk":
            connection.sendall(b"thank you\n")
        if answer == "keep_open":
            time.sleep(collector.hang_seconds)


@contextmanager
def udp_collector() -> Iterator[Collector]:
    """Listen for syslog datagrams."""
    collector, ended = Collector(), threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0.05)
        collector.port = listener.getsockname()[1]

        def serve() -> None:
            while not ended.is_set():
                try:
                    message = listener.recv(65536)
                except TimeoutError:
                    continue
                collector.batches.append([parsed(message, collector)])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            ended.set()
            thread.join()


def counted(stream: bytes) -> Iterator[bytes]:
    """Part a stream into its messages (RFC 6587, 3.4.1)."""
    while stream:
        length, _, stream = stream.partition(b" ")
        yield stream[: int(length)]
        stream = stream[int(length) :]


def parsed(message: bytes, collector: Collector) -> dict[str, Any]:
    collector.raw.append(message)
    found = SYSLOG.fullmatch(message)
    assert found, message
    record: dict[str, Any] = json.loads(found["text"])
    return record


def wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
