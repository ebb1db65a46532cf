"""Training in the background."""

from typing import Any

from apps.core.queue import task
from apps.jobs.execution import execute
from apps.training import actions, queries
from apps.training.models import TrainingJob


@task("training.run_training", queue="training")
def run_training(*, pk: str, **_: Any) -> None:
    """Carry one training job out, unless another worker has it."""
    execute(
        TrainingJob,
        pk,
        verb="train",
        prepare=queries.prepare_training,
        finish=actions.finish_training,
    )
