"""An upload outlives the web server: killed in the middle of a chunk, then started."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from django.conf import settings
from django.db import connection

from apps.accounts.actions import issue_token
from apps.datasets.models import DatasetVersion, Upload
from tests.factories.uploads import begun, chunk_headers

CONTENT = b"a,b\n" + b"1,2\n" * 50_000
CHUNK = 40_000
KIND = {"Content-Type": "application/offset+octet-stream"}
START_SECONDS = 40


class Server:
    """A web server of one's own on the database of the test."""

    def __init__(self, folder, token: str):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        url = os.environ["DATABASE_URL"].rpartition("/")[0]
        self.env = {
            **os.environ,
            "DATABASE_URL": f"{url}/{connection.settings_dict['NAME']}",
            "STORAGE_URL": f"file://{folder / 'blobs'}",
            "UPLOADS_DIR": str(folder / "uploads"),
        }
        self.headers = {"Authorization": f"Bearer {token}"}

    def start(self) -> None:
        command = (
            "-m gunicorn mlops_portal.wsgi:application --threads 2 --keep-alive 0 "
            f"--no-control-socket --bind 127.0.0.1:{self.port}"
        )
        self.process = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=settings.BASE_DIR,
            env=self.env,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        while self._answers():  # its children die a moment later
            time.sleep(0.05)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str):
        link = HTTPConnection("127.0.0.1", self.port, timeout=20)
        link.request(method, path, body, self.headers | headers)
        answer = link.getresponse()
        answer.read()
        link.close()
        return answer

    def send(self, upload, offset: int, content: bytes):
        headers = chunk_headers(offset) | KIND
        return self.ask("PATCH", f"/api/v1/uploads/{upload.pk}", content, **headers)


@pytest.fixture
def server(committed, world, tmp_path) -> Iterator[Server]:
    _, token = issue_token(name="t", scope="write", days=1, by=world.data_scientist)
    server = Server(tmp_path, token)
    server.start()
    yield server
    server.kill()


def test_an_upload_goes_on_after_the_server_was_killed(server, world):
    upload = begun(world.project, world.data_scientist, CONTENT)
    assert server.send(upload, 0, CONTENT[:CHUNK]).status == 204
    head = {
        **server.headers,
        **chunk_headers(CHUNK),
        **KIND,
        "Host": "localhost",
        "Content-Length": str(CHUNK),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())

    with socket.create_connection(("127.0.0.1", server.port)) as link:
        link.sendall(
            f"PATCH /api/v1/uploads/{upload.pk} HTTP/1.1\r\n{lines}\r\n".encode()
        )
        link.sendall(CONTENT[CHUNK : CHUNK + 1000])
        time.sleep(0.5)
        server.kill()
    server.start()

    offset = int(
        server.ask("HEAD", f"/api/v1/uploads/{upload.pk}").headers["Upload-Offset"]
    )
    assert offset == CHUNK
    while offset < len(CONTENT):
        answer = server.send(upload, offset, CONTENT[offset : offset + CHUNK])
        offset = int(answer.headers["Upload-Offset"])
    assert server.ask("POST", f"/api/v1/uploads/{upload.pk}/complete").status == 202
    assert Upload.objects.get().state == "complete"
    assert DatasetVersion.objects.get().original_bytes == len(CONTENT)
