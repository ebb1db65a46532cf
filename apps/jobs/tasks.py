"""What keeps jobs of every kind alive, and says that they are."""

from typing import Any

from apps.accounts.actions import service_account
from apps.audit.actions import record_heartbeat
from apps.core.queue import task
from apps.jobs import actions, leftovers, queries


@task("jobs.sweep")
def sweep(**_: Any) -> None:
    """Take jobs back from dead workers, and repeat lost messages."""
    worker = service_account()
    for model in queries.job_models():
        for job in model.rows().dead():
            actions.requeue_job(job=job, by=worker)
        for job in model.rows().waiting_long():
            actions.resend_job(job=job, by=worker)


@task("jobs.remove_leftovers")
def remove_leftovers(**_: Any) -> None:
    """Remove content that was stored and that no row names."""
    leftovers.remove_unclaimed_blobs()


@task("jobs.heartbeat")
def heartbeat(**_: Any) -> None:
    """Put a sign of life into the audit trail, all the way a job's event takes."""
    record_heartbeat(by=service_account())
