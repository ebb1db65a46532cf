"""What kinds of background work there are, and how the workers are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.db.models import Count, Min
from django.utils import timezone

from apps.core.queue import queue_names, queue_of
from apps.jobs.models import BackgroundJob, JobStatus, Worker


def job_models() -> list[type[BackgroundJob]]:
    """List the models whose rows a worker carries out."""
    return [model for model in apps.get_models() if issubclass(model, BackgroundJob)]


@dataclass(frozen=True)
class QueueHealth:
    """How one queue is.

    Args:
        name: of the queue.
        workers: how many workers take from it.
        seen_at: last sign of life of any of them.
        waiting: jobs that wait for a worker.
        running: jobs that a worker carries out.
        oldest_at: since when the first of the waiting waits.
    """

    name: str
    workers: int
    seen_at: datetime | None
    waiting: int
    running: int
    oldest_at: datetime | None

    @property
    def is_served(self) -> bool:
        """Say whether anybody takes from it."""
        return self.workers > 0


def queue_health() -> dict[str, int | None]:
    """Say for each queue how many seconds ago a worker for it showed itself."""
    now, workers = timezone.now(), list(Worker.objects.all())
    seen = {name: _last_seen(workers, name) for name in queue_names()}
    return {
        name: round((now - at).total_seconds()) if at else None
        for name, at in seen.items()
    }


def sandbox_health() -> str:
    """Say in a word how jobs are kept apart; the sentences are on the health page."""
    workers = list(Worker.objects.alive())
    if not workers:
        return "unknown"
    return "partial" if any(worker.shortcomings for worker in workers) else "ok"


def queues(workers: Iterable[Worker]) -> list[QueueHealth]:
    """List the queues, with those of the workers that take from each."""
    workers, counts = list(workers), Counter[tuple[str, str]]()
    oldest: dict[str, datetime] = {}
    for model in job_models():
        queue = queue_of(model.kind.task)
        unfinished = model.rows().filter(finished_at=None).values("status")
        for row in unfinished.annotate(count=Count("pk"), first=Min("queued_at")):
            counts[queue, row["status"]] += row["count"]
            if row["status"] == JobStatus.QUEUED:
                oldest[queue] = min(oldest.get(queue, row["first"]), row["first"])
    return [
        QueueHealth(
            name=name,
            workers=sum(w.is_alive and name in w.queues for w in workers),
            seen_at=_last_seen(workers, name),
            waiting=counts[name, JobStatus.QUEUED],
            running=counts[name, JobStatus.RUNNING],
            oldest_at=oldest.get(name),
        )
        for name in queue_names()
    ]


def _last_seen(workers: Iterable[Worker], queue: str) -> datetime | None:
    signs = [worker.seen_at for worker in workers if queue in worker.queues]
    return max(signs, default=None)
