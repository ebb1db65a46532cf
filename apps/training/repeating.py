"""How a worker does a run again and compares: all of it in the sandbox."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from apps.core import blobs, sandbox
from apps.core.sandbox import Outcome, Progress, Watch
from apps.jobs.models import JobStatus
from apps.training import code_work, records, rules
from apps.training.code_work import CodeWish
from apps.training.models import Regeneration, Sameness
from apps.training.records import COMPARING, DATA, INPUTS, PREDICTIONS, RecordDamaged
from engine.spec import RunCodeSpec

if TYPE_CHECKING:
    from pathlib import Path

TRAINING_SHARE = 0.9  # of the progress; comparing takes the rest


def repeat(job: Regeneration, folder: Path, watch: Watch) -> Outcome:
    """Train again from the record, then compare with what is kept of the first time.

    The comparison has a folder of its own: what is expected is never near the code
    that is to arrive at it.

    Args:
        job: claimed, with its run and dataset version.
        folder: of the job.
        watch: told how far it is.

    Returns:
        A good outcome has what the certificate says as its result.
    """
    try:
        record = records.read_record(job.run, job.record_sha256)
    except RecordDamaged as error:
        return Outcome(
            "failed", folder, code="record_damaged", message=str(error.message)
        )
    if records.runs_code(job.run) and (reason := _may_not_run(job)):
        return code_work.refused(folder, reason)
    (folder / "spec.json").write_text(json.dumps(record["spec"]))
    _write_json(folder / "inputs" / "fingerprint.json", record.get("fingerprint"))
    for name in INPUTS[record["verb"]]:
        try:
            blobs.copy_to(record["inputs"][name], folder / "inputs" / name)
        except FileNotFoundError:
            return Outcome("succeeded", folder, result=_missing(name))
        except blobs.BlobDamaged:
            return _located(job, record, folder, watch)
    outcome = _done_again(record, folder, _part(watch, 0.0, TRAINING_SHARE))
    if outcome.status != JobStatus.SUCCEEDED:
        return outcome
    return _compared(job, record, folder, _part(watch, TRAINING_SHARE, 1.0))


def _may_not_run(job: Regeneration) -> str:
    return rules.code_is_allowed(job.project).reason or code_work.unsafe_here()


def _done_again(record: dict[str, Any], folder: Path, watch: Watch) -> Outcome:
    if record["verb"] == RunCodeSpec.verb:
        wish = CodeWish(record["spec"], record["inputs"], record.get("fingerprint"))
        return code_work.carry_out_code(wish, folder, watch)
    return _run(folder, record["verb"], record, watch)


def _compared(
    job: Regeneration, record: dict[str, Any], folder: Path, watch: Watch
) -> Outcome:
    with sandbox.job_folder(f"{job.pk}-compare") as beside:
        (beside / "outputs").rmdir()
        (folder / "outputs").rename(beside / "outputs")
        _expect(job, record, beside)
        outcome = _run(beside, COMPARING[record["verb"]], record, watch)
        return replace(outcome, folder=folder)


def _located(
    job: Regeneration, record: dict[str, Any], folder: Path, watch: Watch
) -> Outcome:
    """Say which rows of damaged data are not what they were."""
    _expect(job, record, folder)
    outcome = _run(folder, COMPARING[record["verb"]], record, watch)
    if outcome.status not in {JobStatus.SUCCEEDED, JobStatus.FAILED}:
        return outcome
    sentence = outcome.result.get("sentence") or (
        "Not repeated, because the stored data is not what it was."
    )
    result = {
        **outcome.result,
        "verdict": Sameness.DATA_DAMAGED.value,
        "sentence": f"{sentence} Restore the file from a backup.",
    }
    return Outcome("succeeded", folder, result=result)


def _missing(name: str) -> dict[str, Any]:
    kind, what = ("data", "data") if name == DATA else ("code", "code of the project")
    return {
        "verdict": Sameness.DATA_MISSING.value,
        "sentence": f"Not repeated, because the {what} is no longer in the store. "
        "Restore the file from a backup.",
        "causes": [{"kind": kind, "sentence": f"the {what} is gone", "names": [name]}],
    }


def _expect(job: Regeneration, record: dict[str, Any], folder: Path) -> None:
    """Lay down what the first time gave, and the spec that says how to compare."""
    expected = folder / "expected"
    expected.mkdir()
    blobs.copy_to(job.record_sha256, expected / "record.json")
    if predictions := record["outputs"].get(PREDICTIONS):
        blobs.copy_to(predictions, expected / PREDICTIONS)
    _write_json(expected / "tolerance.json", job.tolerance)
    (folder / "spec.json").write_text(json.dumps(record["spec"]))


def _write_json(path: Path, value: Any) -> None:
    if value is not None:
        path.write_text(json.dumps(value))


def _run(folder: Path, verb: str, record: dict[str, Any], watch: Watch) -> Outcome:
    limits = record["spec"].get("limits", {})
    return sandbox.run(
        folder,
        verb,
        watch=watch,
        wall_seconds=limits.get("wall_seconds"),
        memory_bytes=limits.get("memory_bytes"),
    )


def _part(watch: Watch, start: float, end: float) -> Watch:
    """Count the progress of one step as a part of the whole."""

    def watch_part(progress: Progress) -> str:
        ratio = start + progress.ratio * (end - start)
        return watch(replace(progress, ratio=ratio))

    return watch_part
