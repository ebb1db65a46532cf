"""How a worker runs somebody's own code: once, and then a look at what it left."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.core import blobs, sandbox
from apps.core.sandbox import Mode, Outcome, Progress
from apps.training import rules
from engine.spec import CheckCodeSpec

if TYPE_CHECKING:
    from pathlib import Path

    from apps.core.sandbox import Watch
    from apps.training.models import CodeJob

CHECK_SECONDS = 600.0


def run_code(job: CodeJob, folder: Path, watch: Watch) -> Outcome:
    """Run the code of a claimed job; what it left is looked at by another process.

    The code could write any result it likes, so only its figures are taken from there.
    """
    if refusal := _refusal(job):
        return Outcome("failed", folder, code="refused", message=refusal)
    blobs.copy_to(job.dataset_version.parquet_sha256, folder / "inputs/data.parquet")
    blobs.copy_to(job.code_sha256, folder / "inputs" / "project.zip")
    (folder / "spec.json").write_text(json.dumps(job.spec))
    limits, last = job.spec["limits"], [Progress()]

    def remember(progress: Progress) -> str:
        last[0] = progress
        return watch(progress)

    ran = sandbox.run(
        folder,
        "run_code",
        watch=remember,
        wall_seconds=limits["wall_seconds"],
        memory_bytes=limits["memory_bytes"],
    )
    if ran.status != "succeeded":
        return ran
    try:
        told = _told(ran.result)
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError):
        return _unreadable(folder)
    last[0].stage = "Looking at what it left"
    looked = _looked_at(folder, lambda _: watch(last[0]), job.spec["threads"])
    return replace(looked, result={**looked.result, **told})


def _refusal(job: CodeJob) -> str:
    """Say why the code may not run now, whatever was allowed at the launch."""
    decision = rules.can_launch_code(job.launched_by, job.project)
    if not decision:
        return decision.reason
    try:
        mode = sandbox.mode_in_force()
    except sandbox.NoSandbox:
        return ""  # the run says so itself
    if mode is Mode.PLAIN and not settings.JOB_CODE_IN_PLAIN_MODE:
        return (
            "The worker cannot keep people's own code apart well enough: its host has "
            "neither bubblewrap nor namespaces. Ask an operator to look at the health "
            "page."
        )
    return ""


def _told(result: dict[str, Any]) -> dict[str, Any]:
    """Take the figures out of a result that the code may have written itself."""
    return {
        "metrics": {str(k): float(v) for k, v in result["metrics"].items()},
        "metric_history": [
            {
                "key": str(point["key"]),
                "value": float(point["value"]),
                "step": int(point["step"]),
            }
            for point in result["metric_history"]
        ],
    }


def _looked_at(folder: Path, watch: Watch, threads: int) -> Outcome:
    sandbox.keep_only_outputs(folder)
    spec = CheckCodeSpec(threads=threads).to_json()
    (folder / "spec.json").write_text(json.dumps(spec))
    return sandbox.run(folder, "check_code", watch=watch, wall_seconds=CHECK_SECONDS)


def _unreadable(folder: Path) -> Outcome:
    return Outcome(
        "failed",
        folder,
        code="bad_input",
        message="The code left a result that is not one. Return figures by name.",
    )
