"""Background work, and the workers that carry it out."""

from apps.jobs.models.background import (
    FINAL_STATUSES,
    JOB_TRANSITIONS,
    LOG_TAIL_CHARACTERS,
    BackgroundJob,
    JobKind,
    JobQuerySet,
    JobStatus,
)
from apps.jobs.models.workers import Worker

__all__ = [
    "FINAL_STATUSES",
    "JOB_TRANSITIONS",
    "LOG_TAIL_CHARACTERS",
    "BackgroundJob",
    "JobKind",
    "JobQuerySet",
    "JobStatus",
    "Worker",
]
