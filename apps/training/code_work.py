"""How a worker runs somebody's own code: once, and then a look at what it left."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.core import blobs, sandbox
from apps.core.sandbox import Mode, Outcome, Progress
from apps.training import rules
from apps.training.records import DATA, PROJECT
from engine.spec import CheckCodeSpec

if TYPE_CHECKING:
    from pathlib import Path

    from apps.core.sandbox import Watch
    from apps.training.models import CodeJob

CHECK_SECONDS = 600.0


def run_code(job: CodeJob, folder: Path, watch: Watch) -> Outcome:
    """Run the code of a claimed job; what it left is looked at by another process."""
    may_run = rules.can_launch_code(job.launched_by, job.project)
    if refusal := may_run.reason or unsafe_here():
        return refused(folder, refusal)
    blobs.copy_to(job.dataset_version.parquet_sha256, folder / "inputs" / DATA)
    blobs.copy_to(job.code_sha256, folder / "inputs" / PROJECT)
    inputs = {DATA: job.dataset_version.parquet_sha256, PROJECT: job.code_sha256}
    wish = CodeWish(job.spec, inputs, job.dataset_version.fingerprint)
    return carry_out_code(wish, folder, watch)


@dataclass(frozen=True)
class CodeWish:
    """What is asked of somebody's own code.

    Attributes:
        spec: engine.spec.RunCodeSpec as JSON.
        inputs: SHA-256 of each file in `inputs/`, by name.
        fingerprint: of the data, for the record; None for old data.
    """

    spec: dict[str, Any]
    inputs: dict[str, str]
    fingerprint: dict[str, Any] | None


def carry_out_code(wish: CodeWish, folder: Path, watch: Watch) -> Outcome:
    """Run somebody's own code in `folder`, then look at what it left.

    The code could write any result it likes, so only its figures are taken from there.

    Args:
        wish: what is asked.
        folder: with the inputs.
        watch: told how far it is.
    """
    (folder / "spec.json").write_text(json.dumps(wish.spec))
    limits, last = wish.spec["limits"], [Progress()]

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
    looked = _looked_at(wish, told["metrics"], folder, lambda _: watch(last[0]))
    return replace(looked, result={**looked.result, **told})


def unsafe_here() -> str:
    """Say why no code of people may run on this host; empty when it may."""
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


def refused(folder: Path, sentence: str) -> Outcome:
    """End a job whose code may not run, whatever was allowed when it was asked for."""
    return Outcome("failed", folder, code="refused", message=sentence)


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


def _looked_at(
    wish: CodeWish, metrics: dict[str, float], folder: Path, watch: Watch
) -> Outcome:
    sandbox.keep_only_outputs(folder)
    threads = wish.spec["threads"]
    spec = CheckCodeSpec(threads=threads, inputs=wish.inputs, metrics=metrics)
    asked = {**spec.to_json(), "asked": wish.spec}
    (folder / "spec.json").write_text(json.dumps(asked))
    if wish.fingerprint is not None:
        text = json.dumps(wish.fingerprint)
        (folder / "inputs" / "fingerprint.json").write_text(text)
    return sandbox.run(folder, "check_code", watch=watch, wall_seconds=CHECK_SECONDS)


def _unreadable(folder: Path) -> Outcome:
    return Outcome(
        "failed",
        folder,
        code="bad_input",
        message="The code left a result that is not one. Return figures by name.",
    )
