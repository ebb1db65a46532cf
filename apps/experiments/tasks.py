"""What the clock asks of experiments."""

from typing import Any

from apps.accounts.actions import service_account
from apps.core.queue import task
from apps.experiments import actions


@task("experiments.close_old_segments")
def close_old_segments(**_: Any) -> None:
    """Tell the trail of what was logged by scripts that never said they ended."""
    actions.close_old_segments(by=service_account())
