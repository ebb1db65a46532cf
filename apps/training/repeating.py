"""How a worker does a run again and compares: all of it in the sandbox."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from apps.core import blobs, sandbox
from apps.core.sandbox import Outcome, Progress, Watch
from apps.jobs.models import JobStatus
from apps.training import records
from apps.training.models import Regeneration, Sameness
from apps.training.records import DATA, PREDICTIONS, RecordDamaged

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
    (folder / "spec.json").write_text(json.dumps(record["spec"]))
    _write_json(folder / "inputs" / "fingerprint.json", record.get("fingerprint"))
    try:
        blobs.copy_to(record["inputs"][DATA], folder / "inputs" / DATA)
    except FileNotFoundError:
        return Outcome("succeeded", folder, result=_missing())
    except blobs.BlobDamaged:
        return _located(job, record, folder, watch)
    outcome = _run(folder, "train", record, _part(watch, 0.0, TRAINING_SHARE))
    if outcome.status != JobStatus.SUCCEEDED:
        return outcome
    return _compared(job, record, folder, _part(watch, TRAINING_SHARE, 1.0))


def _compared(
    job: Regeneration, record: dict[str, Any], folder: Path, watch: Watch
) -> Outcome:
    with sandbox.job_folder(f"{job.pk}-compare") as beside:
        (beside / "outputs").rmdir()
        (folder / "outputs").rename(beside / "outputs")
        _expect(job, record, beside)
        return replace(_run(beside, "verify", record, watch), folder=folder)


def _located(
    job: Regeneration, record: dict[str, Any], folder: Path, watch: Watch
) -> Outcome:
    """Say which rows of damaged data are not what they were."""
    _expect(job, record, folder)
    outcome = _run(folder, "verify", record, watch)
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


def _missing() -> dict[str, Any]:
    sentence = (
        "Not repeated, because the data is no longer in the store. Restore the file "
        "from a backup."
    )
    cause = {"kind": "data", "sentence": "the data is gone", "names": [DATA]}
    return {
        "verdict": Sameness.DATA_MISSING.value,
        "sentence": sentence,
        "causes": [cause],
    }


def _expect(job: Regeneration, record: dict[str, Any], folder: Path) -> None:
    """Lay down what the first time gave, and the spec that says how to compare."""
    expected = folder / "expected"
    expected.mkdir()
    blobs.copy_to(job.record_sha256, expected / "record.json")
    blobs.copy_to(record["outputs"][PREDICTIONS], expected / PREDICTIONS)
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
