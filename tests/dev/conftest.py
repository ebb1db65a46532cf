import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dev.problem import ROOT

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def _no_named_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that stays open to the account which runs Postgres for root.

    Those of pytest are closed again by every pytest that starts on this machine.
    """
    with tempfile.TemporaryDirectory(prefix="portal-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a Python process of this project; none outlives the test or its folder."""
    processes: list[subprocess.Popen[str]] = []

    def start_python(*arguments: str, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start_python
    for process in processes:
        process.terminate()
        process.communicate(timeout=30)


def processes_with(mark: str) -> list[str]:
    """List the command lines of running processes that contain a text."""
    running = psutil.process_iter(["cmdline"])  # a zombie has no command line
    lines = [" ".join(each.info["cmdline"] or []) for each in running]
    return [line for line in lines if mark in line]


def wait_until_gone(mark: str, *, seconds: float = 10) -> list[str]:
    """Wait for processes to end; give those that did not."""
    deadline = time.monotonic() + seconds
    while processes_with(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    return processes_with(mark)
