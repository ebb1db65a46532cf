"""Training in the background."""

from typing import Any

from apps.core.queue import task
from apps.jobs.execution import carry_out, execute
from apps.training import actions, code_work, queries
from apps.training.models import CodeJob, TrainingJob


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


@task("training.run_code", queue="training")
def run_code(*, pk: str, **_: Any) -> None:
    """Run somebody's own code once, unless another worker has it."""
    carry_out(CodeJob, pk, work=code_work.run_code, finish=actions.finish_code)
