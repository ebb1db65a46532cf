"""Large files, and files of unannounced size, against a real portal over HTTP."""

from __future__ import annotations

import hashlib
import json
import socket
from http.client import HTTPConnection
from pathlib import Path

import pytest

from apps.experiments import actions
from apps.experiments.actions import RunStart
from apps.experiments.models import Artifact, Run
from tests.factories import experiments as factory
from tests.mlflow_api.test_artifacts import API

MEBIBYTE = 1024 * 1024
LARGE = 300 * MEBIBYTE


def zeros(size: int):
    """Yield so many bytes, which nobody holds all at once."""
    for _ in range(size // MEBIBYTE):
        yield bytes(MEBIBYTE)


@pytest.fixture
def run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return actions.start_run(experiment=made, start=RunStart(), by=world.data_scientist)


class Caller:
    """A program that sends files to a run."""

    def __init__(self, portal, run):
        self.portal = portal
        self.root = f"{API}/{run.experiment_id.hex}/{run.pk.hex}/artifacts"
        self.headers = {"Authorization": f"Bearer {portal.token}"}

    def link(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.portal.port, timeout=60)

    def put(self, path: str, content, **headers: str) -> tuple[int, dict]:
        link = self.link()
        link.request("PUT", f"{self.root}/{path}", content, self.headers | headers)
        answer = link.getresponse()
        told = json.loads(answer.read())
        link.close()
        return answer.status, told

    def size_of(self, path: str) -> int:
        link = self.link()
        link.request("GET", f"{self.root}/{path}", headers=self.headers)
        answer = link.getresponse()
        size = 0
        while chunk := answer.read(MEBIBYTE):
            size += len(chunk)
        link.close()
        return size

    def raw(self, body: bytes) -> int:
        """Send a chunked body as it is, and nothing after; return the status."""
        head = f"PUT {self.root}/half.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Authorization: {self.headers['Authorization']}\r\n"
        head += "Transfer-Encoding: chunked\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.portal.port), 20) as link:
            link.sendall(head.encode() + body)
            link.shutdown(socket.SHUT_WR)
            return int(link.recv(4096).split()[1])


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_files_of_unannounced_size_come_and_go_with_little_memory(
    portal, run, tmp_path
):
    caller = Caller(portal, run)

    stored = caller.put("large.bin", zeros(LARGE))

    assert stored == (200, {})
    assert caller.size_of("large.bin") == LARGE
    assert portal.peak_bytes() < 350 * MEBIBYTE
    # A chunk that ends early, a size that is none, an end that never comes.
    halves = [b"a\r\nhello", b"zz\r\nhello\r\n", b"5\r\nhello\r\n"]
    assert [caller.raw(half) for half in halves] == [400, 400, 400]
    assert Artifact.objects.get().size_bytes == LARGE
    assert files_below(tmp_path / "blobs" / "drafts") == []


def test_what_is_refused_is_said_however_large_the_body(portal, run, world):
    caller = Caller(portal, run)
    actions.delete_run(run=run, by=world.data_scientist)

    answers = [
        caller.put("a.bin", zeros(LARGE // 4), **{"Content-Length": str(LARGE // 4)}),
        caller.put("a.bin", zeros(LARGE // 4)),
        caller.put("../a.bin", zeros(LARGE // 4)),
    ]

    assert [status for status, _ in answers] == [400, 400, 400]
    assert "is deleted; restore it first" in answers[0][1]["message"]
    assert answers[0] == answers[1]
    assert answers[2][1]["message"] == "Invalid path"


def test_the_stock_client_sends_large_files_in_parts(portal, tmp_path):
    portal.run(
        "files.py",
        tmp_path,
        MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD="true",
        MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE=str(MEBIBYTE),
        MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE=str(MEBIBYTE),
    )

    run = Run.objects.get(pk=(tmp_path / "run.txt").read_text())
    content = (tmp_path / "large model.bin").read_bytes()
    sizes = dict(run.artifacts.values_list("path", "size_bytes"))
    assert sizes == {
        "package/__init__.py": 0,
        "model/large model.bin": len(content),
        "large model.bin": len(content),
        "notes.txt": 5,
    }
    large = run.artifacts.get(path="large model.bin")
    assert large.sha256 == hashlib.sha256(content).hexdigest()
    # Of each complete upload only its result is left, for programs that ask again.
    left = {path.name for path in files_below(tmp_path / "uploads")}
    assert left == {"whole"}
