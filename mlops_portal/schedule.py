"""What the clock has workers do, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

# Task -> seconds from one time to the next.
EVERY: Final[dict[str, float]] = {
    "approvals.read_files": DAY,
    "approvals.review": MINUTE,
    "datasets.expire_uploads": HOUR,
    "experiments.close_old_segments": 5 * MINUTE,
    "experiments.remove_old_parts": HOUR,
    "exports.remove_old": HOUR,
    "jobs.remove_leftovers": HOUR,
    "notices.deliver_due": MINUTE,
    "notices.mail": MINUTE,
    "validation.remind_of_findings": HOUR,
}


def beat_schedule(further: Mapping[str, float]) -> dict[str, dict[str, object]]:
    """Write the schedule as Celery's clock reads it.

    Args:
        further: tasks whose seconds are settings.
    """
    return {
        task: {"task": task, "schedule": seconds}
        for task, seconds in {**EVERY, **further}.items()
    }
