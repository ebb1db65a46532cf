"""Who may carry jobs out, and who may stop them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import Decision, NotNow, permitted
from apps.access.permissions import Permission

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.jobs.models import BackgroundJob


def can_run_job(user: User, job: BackgroundJob) -> Decision:
    """Say whether `user` may carry `job` out: workers only."""
    return permitted(user, Permission.JOB_RUN, job.project)


can_start_job = can_finish_job = can_requeue_job = can_resend_job = can_run_job


def can_cancel_job(user: User, job: BackgroundJob) -> Decision:
    """Say whether `user` may stop `job`; not only who asked for it may."""
    decision = permitted(user, job.kind.cancel_permission, job.project)
    if decision and job.is_final:
        return NotNow("This has ended, so there is nothing to cancel.")
    if decision and job.cancel_requested_at:
        return NotNow("Cancelling was asked for; the worker stops in a moment.")
    return decision
