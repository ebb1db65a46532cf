"""What the real web server does with hostile requests, byte by byte."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings

ENVIRONMENT = {
    **os.environ,
    "PORTAL_MODE": "test",
    "SECRET_KEY": "test-key-of-the-web-server",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
}
START_SECONDS = 40


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where gunicorn listens, started with the options of the Makefile."""
    command = re.search(r"gunicorn (mlops_portal.*) --bind", _makefile())[1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            *command.split(),
            f"--bind=127.0.0.1:{free}",
        ],
        cwd=settings.BASE_DIR,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(free):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for _ in range(4):  # a process loads the pages with its first request
            ask(free, "GET /sign-in/ HTTP/1.1\nHost: localhost\n\n")
        yield free
    finally:
        server.terminate()
        server.wait(timeout=20)


def _makefile() -> str:
    return (settings.BASE_DIR / "Makefile").read_text()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(port: int, head: str, body: bytes = b"") -> tuple[bytes, float]:
    """Send bytes; return the head of the answer, and how many seconds it took."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=15) as link:
        link.sendall(head.replace("\n", "\r\n").encode() + body)
        answer = link.recv(65536)
    return answer, time.monotonic() - started


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=x",
        "application/json",
        "application/offset+octet-stream",
    ],
)
@pytest.mark.parametrize("path", ["/sign-in/", "/api/v1/projects/a/datasets"])
def test_two_gigabytes_are_refused_before_they_come(port, path, kind):
    answer, seconds = ask(
        port,
        f"POST {path} HTTP/1.1\nHost: localhost\nContent-Type: {kind}\n"
        "Content-Length: 2147483648\n\n",
        b"--x\r\n",
    )

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert seconds < 5


def test_a_chunk_has_a_limit_of_its_own(port):
    head = (
        "PATCH /api/v1/uploads/x HTTP/1.1\nHost: localhost\n"
        "Content-Type: application/offset+octet-stream\nContent-Length: {}\n\n"
    )
    limit = settings.UPLOAD_CHUNK_BYTES

    above, _ = ask(port, head.format(limit + 1))
    within, _ = ask(port, head.format(limit))

    assert above.startswith(b"HTTP/1.1 413 ")
    assert within.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "header",
    [
        "Content-Length: -1",
        "Content-Length: 1e9",
        "Content-Length: " + "9" * 400,
        "Content-Length: 5\nContent-Length: 6",
        "Content-Length: 5\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
    ],
)
def test_a_length_that_is_none_is_refused(port, header):
    answer, seconds = ask(
        port, f"POST /sign-in/ HTTP/1.1\nHost: localhost\n{header}\n\n"
    )

    assert re.match(rb"HTTP/1.1 4\d\d ", answer)
    assert seconds < 5


def test_who_was_refused_keeps_nobody_else_waiting(port):
    """More connections than the server has threads, each with a body still to come."""
    head = (
        "POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
        "Content-Length: 2147483648\r\n\r\n"
    )
    with ExitStack() as open_links:
        for _ in range(12):
            link = socket.create_connection(("127.0.0.1", port), timeout=15)
            open_links.enter_context(link).sendall(head.encode())
            assert link.recv(65536).startswith(b"HTTP/1.1 413 ")

        answer, seconds = ask(port, "GET /sign-in/ HTTP/1.1\nHost: localhost\n\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert seconds < 5
