"""What must hold after anything went wrong, and ways to let it go wrong."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from django.core.files.storage import default_storage

from apps.jobs import leftovers
from apps.jobs.models import JobStatus
from apps.jobs.tasks import sweep
from apps.training.models import TrainingJob
from tests.workers.conftest import engines_of, wait_for
from tests.workers.test_training import SLOW, assert_finished_once, launch, status

UNFINISHED = {JobStatus.QUEUED, JobStatus.RUNNING}
LONGEST_LIFE = 12.0  # of a worker, in seconds: the job takes about so long


def end_well(job: TrainingJob, settings, *, sweeping: bool = True) -> None:
    """Let the sweeper do its work until the job ends, and see that it ended well."""
    if sweeping:
        settings.JOB_STALE_SECONDS = 0
        sweep()
        settings.JOB_STALE_SECONDS = 30
    wait_for(lambda: status(job) not in UNFINISHED, seconds=120)
    assert_finished_once(job)
    assert_nothing_is_left(job, settings)


def assert_nothing_is_left(job: TrainingJob, settings) -> None:
    """No process, no job folder, and no stored file that no row names."""
    wait_for(lambda: not engines_of(job), seconds=5)
    wait_for(lambda: not list(settings.JOBS_DIR.glob("*.job")), seconds=25)
    settings.BLOB_UNCLAIMED_SECONDS = -60
    leftovers.remove_unclaimed_blobs()
    stored = {path.name for path in files_stored()}
    assert all(re.fullmatch("[0-9a-f]{64}", name) for name in stored), stored
    assert stored == leftovers.named_digests(stored)


def files_stored() -> list[Path]:
    place = Path(default_storage.location)
    return [path for path in place.rglob("*") if path.is_file()]


def survive_kills(times: int, workers, settings, *launching) -> None:
    """Kill the worker at a random moment of each of so many jobs."""
    for _ in range(times):
        job = launch(*launching, **SLOW)
        worker = workers.start()
        time.sleep(random.uniform(1.0, LONGEST_LIFE))  # noqa: S311 - no secret
        workers.kill(worker)
        wait_for(lambda job=job: not engines_of(job), seconds=5)
        second = workers.start()
        end_well(job, settings)
        workers.kill(second)


class Gate:
    """A way to the database that can be shut, as when the server restarts.

    Args:
        host: of the database.
        port: of the database.
    """

    def __init__(self, host: str, port: int) -> None:
        self._behind = host, port
        self._open: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._is_shut = False
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self, seconds: float) -> None:
        """Break every connection, and let none through for a while."""
        self._is_shut = True
        for link in list(self._open):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        time.sleep(seconds)
        self._is_shut = False

    def close(self) -> None:
        self.shut(0)
        self._door.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                outside, _ = self._door.accept()
                if self._is_shut:
                    outside.close()
                    continue
                inside = socket.create_connection(self._behind)
                self._open |= {outside, inside}
                for ends in ((outside, inside), (inside, outside)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for link in (source, target):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()
            self._open.discard(link)
