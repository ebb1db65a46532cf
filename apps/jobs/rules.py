"""Who may carry jobs out, and who may stop them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.jobs.models import BackgroundJob


def can_run_job(user: User, job: BackgroundJob) -> Decision:
    """Say whether `user` may carry `job` out: workers only."""
    return permitted(user, Permission.JOB_RUN, job.project)


can_start_job = can_finish_job = can_hand_back_job = can_run_job
can_requeue_job = can_resend_job = can_run_job


def can_cancel_job(user: User, job: BackgroundJob) -> Decision:
    """Say whether `user` may stop `job`; for most kinds not only who asked for it."""
    decision = _may_stop(user, job)
    if decision and job.is_final:
        return NotNow("This has ended, so there is nothing to cancel.")
    if decision and job.cancel_requested_at:
        return NotNow("Cancelling was asked for; the worker stops in a moment.")
    return decision


def _may_stop(user: User, job: BackgroundJob) -> Decision:
    if permission := job.kind.cancel_permission:
        return permitted(user, permission, job.project)
    if job.asked_by_id == user.pk:
        return ALLOWED
    return Denied("Only who asked for this can stop it.")


def can_read_health(user: User) -> Decision:
    """Say whether `user` may see workers, queues and how jobs are kept apart."""
    return permitted(user, Permission.HEALTH_READ, None)
