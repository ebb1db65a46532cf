"""What a worker does beside its jobs: show that it lives, and stop in good order.

Celery calls these at the start and the end of a worker's main process. Its jobs run in
children of that process, which look at `is_time_to_stop` every two seconds at least.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import threading
import time
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections

from apps.core import sandbox
from apps.jobs.models import Worker
from apps.jobs.models.workers import Sign

logger = logging.getLogger(__name__)

# When the jobs of this worker are handed back; 0 while it goes on. Shared with the
# children, because they are made by fork.
_hand_back_at = multiprocessing.RawValue(ctypes.c_double, 0.0)


def begin_to_stop(**_: Any) -> None:
    """Give the running jobs a bounded time; what needs longer is handed back."""
    _hand_back_at.value = time.monotonic() + settings.WORKER_STOP_SECONDS


def is_time_to_stop() -> bool:
    """Say whether a job that still runs is to be handed back now."""
    return 0.0 < _hand_back_at.value <= time.monotonic()


class Presence(threading.Thread):
    """Writes down every few seconds that this worker lives.

    Args:
        name: of the worker.
        queues: whose work it takes.
        concurrency: how many jobs it carries out at once.
    """

    def __init__(self, name: str, queues: list[str], concurrency: int) -> None:
        super().__init__(name="presence", daemon=True)
        self._worker, self._queues, self._concurrency = name, queues, concurrency
        self._over = threading.Event()

    def run(self) -> None:
        """Show up until `leave` is called; a database that is away is waited for."""
        sign = self._sign()
        for sentence in sign.shortcomings:
            logger.warning("%s", sentence)
        while not self._over.wait(self._show(sign)):
            pass
        connections.close_all()

    def leave(self) -> None:
        """Stop showing up, and take the row away."""
        self._over.set()
        self.join(settings.WORKER_SIGN_SECONDS)
        try:
            Worker.objects.forget(self._worker)
        except DatabaseError:
            logger.warning("the database is away; this worker is forgotten in a day")
        connections.close_all()

    def _sign(self) -> Sign:
        try:
            mode = str(sandbox.mode_in_force())
        except sandbox.NoSandbox:
            mode = ""
        shortcomings = sandbox.shortcomings()
        return Sign(self._queues, self._concurrency, mode, shortcomings)

    def _show(self, sign: Sign) -> float:
        for name in sandbox.remove_abandoned_folders():
            logger.warning("removed %s, which a worker that died left behind", name)
        try:
            Worker.objects.note(self._worker, sign)
        except DatabaseError:
            connections.close_all()
            logger.warning("the database is away; trying again")
        return float(settings.WORKER_SIGN_SECONDS)
