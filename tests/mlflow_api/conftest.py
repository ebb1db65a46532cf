"""A real portal process, and the stock client in a process of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from apps.accounts.actions import issue_token

START_SECONDS = 40
JOURNEY_SECONDS = 120
SCRIPTS = Path(__file__).parent / "scripts"
# The client of another release, in an environment of its own.
CLIENT = os.environ.get("MLFLOW_CLIENT_PYTHON", sys.executable)
SERVER = (
    "-m gunicorn mlops_portal.wsgi:application --threads 12 --no-control-socket "
    "--timeout 120"
)


def client_release() -> str:
    """Say which release of the client walks through the journey."""
    asked = "from importlib.metadata import version; print(version('mlflow-skinny'))"
    return subprocess.check_output([CLIENT, "-c", asked], text=True).strip()


@dataclass(frozen=True)
class Portal:
    """A running portal, and a token of the data scientist with a default project."""

    port: int
    token: str
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def peak_bytes(self) -> int:
        """The most memory that a process of the server ever had."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return max(_peak_bytes(int(pid)) for pid in [self.pid, *children.split()])

    def run(self, script: str, folder: Path, **environment: str) -> None:
        """Run a script of a data scientist; it must end well."""
        done = subprocess.run(
            [CLIENT, str(SCRIPTS / script)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=JOURNEY_SECONDS,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "MLFLOW_TRACKING_URI": self.url,
                "MLFLOW_TRACKING_TOKEN": self.token,
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
                "GIT_PYTHON_REFRESH": "quiet",
                **environment,
            },
        )
        assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture
def portal(committed, world, tmp_path: Path) -> Iterator[Portal]:
    _, token = issue_token(
        name="MLflow",
        scope="write",
        days=1,
        default_project=world.project.slug,
        by=world.data_scientist,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = os.environ["DATABASE_URL"].rpartition("/")[0]
    server = subprocess.Popen(
        [sys.executable, *SERVER.split(), f"--bind=127.0.0.1:{port}"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": f"{url}/{connection.settings_dict['NAME']}",
            "STORAGE_URL": f"file://{tmp_path / 'blobs'}",
            "UPLOADS_DIR": str(tmp_path / "uploads"),
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(port):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield Portal(port, token, server.pid)
    finally:
        server.terminate()
        server.wait(timeout=20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def mlflow(world) -> Callable[..., dict]:
    """Ask the data scientist's face of MLflow; `status` is what it must answer."""
    return asker(world.data_scientist, world.project.slug)


def asker(person, project: str = "", scope: str = "write") -> Callable[..., dict]:
    _, secret = issue_token(
        name="MLflow", scope=scope, days=1, default_project=project, by=person
    )
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def ask(path: str, data=None, *, method: str = "post", status: int = 200) -> dict:
        send = getattr(client, method)
        kind = {} if method == "get" else {"content_type": "application/json"}
        answer = send(f"/api/2.0/mlflow/{path}", data or {}, **kind)
        assert answer.status_code == status, answer.content
        return answer.json()

    ask.client = client
    return ask


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
