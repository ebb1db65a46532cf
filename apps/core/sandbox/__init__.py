"""Runs the engine on a job folder, in a process that can do nothing else.

The child gets a scrubbed environment, its own process group and, where the host allows
it, its own user, network, processes and view of the disk. It has limits, and dies with
the worker. It talks back through files only: progress.jsonl while it runs, result.json
at the end. What it writes is not trusted: links are not followed, and only so much of a
file is read. docs/guide/sandbox.md says what holds in which mode.
"""

from apps.core.sandbox.folder import (
    job_folder,
    keep_only_outputs,
    remove_abandoned_folders,
)
from apps.core.sandbox.limits import Limits
from apps.core.sandbox.modes import Mode, NoSandbox, mode_in_force, shortcomings
from apps.core.sandbox.outcome import Outcome
from apps.core.sandbox.progress import Point, Progress, Usage
from apps.core.sandbox.running import STATUS_AFTER, Watch, run

__all__ = [
    "STATUS_AFTER",
    "Limits",
    "Mode",
    "NoSandbox",
    "Outcome",
    "Point",
    "Progress",
    "Usage",
    "Watch",
    "job_folder",
    "keep_only_outputs",
    "mode_in_force",
    "remove_abandoned_folders",
    "run",
    "shortcomings",
]
