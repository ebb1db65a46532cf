"""What the clock asks of experiments."""

import time
from typing import Any

from django.conf import settings

from apps.accounts.actions import service_account
from apps.core.queue import task
from apps.experiments import actions, parts


@task("experiments.close_old_segments")
def close_old_segments(**_: Any) -> None:
    """Tell the trail of what was logged by scripts that never said they ended."""
    actions.close_old_segments(by=service_account())


@task("experiments.remove_old_parts")
def remove_old_parts(**_: Any) -> None:
    """Remove parts of files that nobody goes on sending."""
    parts.remove_old(time.time() - settings.UPLOAD_KEEP_HOURS * 60 * 60)
