"""Sources as MLflow's own client leaves them: a server of its own, and a folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
START_SECONDS = 120
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


@dataclass(frozen=True)
class Filled:
    """A source, and what the client reads back from it, by run."""

    source: str
    there: dict[str, dict[str, Any]]
    model: dict[str, str]
    registered: list[dict[str, Any]]


def environment(home: Path, **further: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), **QUIET, **further}


def fill(address: str, folder: Path) -> Filled:
    told = folder / "there.json"
    subprocess.run(
        [sys.executable, str(SCRIPTS / "fill.py"), str(told)],
        cwd=folder,
        check=True,
        timeout=300,  # on a busy machine
        env=environment(
            folder, MLFLOW_TRACKING_URI=address, MLFLOW_ALLOW_FILE_STORE="true"
        ),
    )
    found = json.loads(told.read_text())
    return Filled(address, found["runs"], found["model"], found["registered"])


@pytest.fixture(scope="session")
def mlruns(tmp_path_factory) -> Filled:
    folder = tmp_path_factory.mktemp("folder")
    return fill(str(folder / "mlruns"), folder)


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--gunicorn-opts", "--threads 4 --no-control-socket"),
            *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
            *("--artifacts-destination", str(folder / "artifacts")),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        cwd=folder,
        env=environment(folder, MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield fill(f"http://127.0.0.1:{port}", folder)
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
