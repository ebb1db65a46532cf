"""Training in the background."""

from functools import partial
from typing import Any

from apps.accounts.actions import service_account
from apps.core.execution import execute
from apps.core.queue import task
from apps.training import actions, queries
from apps.training.models import TrainingJob


@task("training.run_training", queue="training")
def run_training(*, pk: str, **_: Any) -> None:
    """Carry one training job out, unless another worker has it."""
    worker = service_account()
    execute(
        verb="train",
        start=partial(actions.start_training, pk=pk, by=worker),
        prepare=queries.prepare_training,
        finish=lambda job, outcome: actions.finish_training(
            job=job, outcome=outcome, by=worker
        ),
    )


@task("training.sweep")
def sweep(**_: Any) -> None:
    """Take jobs back from dead workers, and repeat lost messages."""
    worker = service_account()
    for job in TrainingJob.objects.dead():
        actions.requeue_training(job=job, by=worker)
    for job in TrainingJob.objects.waiting_long():
        actions.resend_training(job=job, by=worker)
