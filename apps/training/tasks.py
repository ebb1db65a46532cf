"""Training in the background."""

from typing import Any

from apps.core.queue import task
from apps.jobs.execution import carry_out, execute
from apps.training import actions, code_work, queries
from apps.training.models import CodeJob, Regeneration, TrainingJob
from apps.training.repeating import repeat


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


@task("training.run_regeneration", queue="training")
def run_regeneration(*, pk: str, **_: Any) -> None:
    """Do one run again and compare, unless another worker has it."""
    carry_out(Regeneration, pk, work=repeat, finish=actions.finish_regeneration)
