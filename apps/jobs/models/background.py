"""The state every piece of background work goes through, whatever it computes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar, cast

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.errors import WrongState
from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.access.permissions import Permission
    from apps.audit.event_types import EventType
    from apps.core.sandbox import Progress
    from apps.projects.models import Project

LOG_TAIL_CHARACTERS = 20_000

J = TypeVar("J", bound="BackgroundJob")


class JobStatus(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


JOB_TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.CANCELLED}),
    JobStatus.RUNNING: frozenset(
        {
            JobStatus.SUCCEEDED,
            JobStatus.FAILED,
            JobStatus.CANCELLED,
            # A dead worker's job goes back to the queue.
            JobStatus.QUEUED,
        }
    ),
    JobStatus.SUCCEEDED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}
FINAL_STATUSES = frozenset(
    status for status, following in JOB_TRANSITIONS.items() if not following
)


@dataclass(frozen=True)
class JobKind:
    """What one kind of job has of its own in the life that all jobs share.

    Args:
        task: name of the task that carries a job out, given its `pk`.
        events: recorded when a job comes to a status.
        cancel_requested: recorded when a running job is asked to stop.
        cancel_permission: who has it may stop a job; None where only who asked for it
            may.
        lost_message: why a job failed that cost too many workers, with `{attempts}`.
    """

    task: str
    events: Mapping[JobStatus, EventType]
    cancel_requested: EventType
    cancel_permission: Permission | None
    lost_message: str


class JobQuerySet(models.QuerySet[J]):
    """Reads and the two writes that carry no decision: progress and heartbeat."""

    def dead(self) -> Self:
        """Running jobs whose worker has given no sign for too long."""
        limit = timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS)
        return self.filter(status=JobStatus.RUNNING, heartbeat_at__lt=limit)

    def waiting_long(self) -> Self:
        """Queued jobs whose message may be lost."""
        limit = timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS)
        return self.filter(status=JobStatus.QUEUED, queued_at__lt=limit)

    def note_progress(self, *, claim_id: uuid.UUID, progress: Progress) -> bool:
        """Write progress and heartbeat of a claimed job.

        Returns:
            False when the claim no longer holds: the job was given to another worker.
        """
        return bool(
            self.filter(claim_id=claim_id, status=JobStatus.RUNNING).update(
                progress_ratio=min(max(progress.ratio, 0.0), 1.0),
                stage=progress.stage[:200],
                log_tail=progress.log[-LOG_TAIL_CHARACTERS:],
                live_metrics=[list(point) for point in progress.metrics],
                usage=asdict(progress.usage) if progress.usage else {},
                heartbeat_at=timezone.now(),
            )
        )

    def is_cancel_requested(self, *, claim_id: uuid.UUID) -> bool:
        """Say whether somebody asked the claimed job to stop."""
        return self.filter(
            claim_id=claim_id, cancel_requested_at__isnull=False
        ).exists()


class BackgroundJob(models.Model):
    """A piece of work that a worker does outside of the web process.

    `live_metrics` holds the latest points of what is measured while the job runs, each
    as `[key, step, value]` in the order they came. `usage` holds what the job takes of
    its machine: `cpu_seconds`, `memory_bytes`, `memory_peak_bytes` and `disk_bytes`,
    or nothing before the first look.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    status = models.CharField(
        max_length=16, choices=JobStatus.choices, default=JobStatus.QUEUED
    )
    stage = models.CharField(max_length=200, blank=True)
    progress_ratio = models.FloatField(default=0.0)
    log_tail = models.TextField(blank=True)
    live_metrics = models.JSONField(default=list, blank=True)
    usage = models.JSONField(default=dict, blank=True)
    failure_code = models.CharField(max_length=32, blank=True)
    failure_message = models.TextField(blank=True)
    failure_details = models.JSONField(default=list, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    claim_id = models.UUIDField(null=True, editable=False)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    if TYPE_CHECKING:
        kind: ClassVar[JobKind]
        asked_by_id: uuid.UUID  # where its kind names no permission to cancel

        @property
        def project(self) -> Project | None: ...

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_finished_when_final",
                condition=Q(
                    status__in=["succeeded", "failed", "cancelled"],
                    finished_at__isnull=False,
                )
                | Q(status__in=["queued", "running"], finished_at__isnull=True),
            ),
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_claimed_when_running",
                condition=~Q(status="running")
                | Q(claim_id__isnull=False, heartbeat_at__isnull=False),
            ),
        ]

    @classmethod
    def rows(cls) -> JobQuerySet[Self]:
        """All jobs of this kind, for what serves every kind alike."""
        return cast("JobQuerySet[Self]", cls._default_manager.all())

    @property
    def is_final(self) -> bool:
        """Say whether the job will not change any more."""
        return self.status in FINAL_STATUSES

    def advance(self, to: JobStatus) -> None:
        """Move to `to` and set what belongs to it; the caller saves.

        Raises:
            WrongState: the table has no such transition.
        """
        if to not in JOB_TRANSITIONS[JobStatus(self.status)]:
            raise WrongState(
                f"This job is {self.get_status_display().lower()} and cannot become "
                f"{to.label.lower()}."
            )
        self.status = to
        now = timezone.now()
        if to == JobStatus.RUNNING:
            self.claim_id = uuid.uuid4()
            self.started_at = self.heartbeat_at = now
            self.attempt += 1
        elif to == JobStatus.QUEUED:
            self.claim_id = None
            self.queued_at = now
            self.progress_ratio = 0.0
            self.live_metrics, self.usage = [], {}
        else:
            self.finished_at = now
