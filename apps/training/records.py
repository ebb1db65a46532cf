"""The record of a run, from which alone it is done again."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from apps.core import blobs
from apps.core.errors import WrongState
from apps.experiments.models import RunSource
from engine.spec import RunCodeSpec, TrainSpec, VerifyCodeSpec, VerifySpec

if TYPE_CHECKING:
    from apps.experiments.models import Artifact, Run

RECORD = "record.json"
CODE = "engine.zip"
PREDICTIONS = "predictions.parquet"
DATA = "data.parquet"
PROJECT = "project.zip"
# What the engine reads, by its verb.
INPUTS = {TrainSpec.verb: (DATA,), RunCodeSpec.verb: (DATA, PROJECT)}
# How what it did again is compared, by its verb.
COMPARING = {
    TrainSpec.verb: VerifySpec.verb,
    RunCodeSpec.verb: VerifyCodeSpec.verb,
}
FILES = (RECORD, CODE, PREDICTIONS)
FORMAT = "portal-record-1"
MAX_RECORD_BYTES = 16 * 1024 * 1024
_PARTS = {
    **dict.fromkeys(("spec", "inputs", "outputs", "code", "environment"), dict),
    "steps": list,
}
_DIGEST = re.compile(r"[0-9a-f]{64}")


class RecordDamaged(WrongState):
    """The stored record is not what the run left behind."""


def kept_files(run: Run) -> dict[str, Artifact]:
    """Find the files of `run` that a regeneration uses, by their path."""
    found = run.artifacts.filter(path__in=FILES)
    return {artifact.path: artifact for artifact in found}


def is_kept(run: Run) -> bool:
    """Say whether `run` left what it can be done again from.

    People's own code need not predict anything; every training does.
    """
    needed = {RECORD, CODE} if runs_code(run) else set(FILES)
    return needed <= set(kept_files(run))


def runs_code(run: Run) -> bool:
    """Say whether `run` is of somebody's own code."""
    return run.source == RunSource.CODE


def read_record(run: Run, sha256: str) -> dict[str, Any]:
    """Read the record of `run`, checked against its digest.

    Args:
        run: with its dataset version.
        sha256: of the record, as it was when the run was recorded.

    Raises:
        RecordDamaged: it is gone, was changed, or speaks of data that is not the run's.
    """
    try:
        with blobs.open_blob(sha256) as file:
            text = file.read(MAX_RECORD_BYTES + 1)
    except FileNotFoundError:
        raise RecordDamaged(
            "The record of this run is no longer in the store. Restore it from a "
            "backup."
        ) from None
    if hashlib.sha256(text).hexdigest() != sha256:
        raise RecordDamaged(
            "The record of this run was changed in the store. Restore it from a backup."
        )
    record = _parsed(text)
    if not _is_of(record, run):
        raise RecordDamaged(
            "The record of this run speaks of other data than the run does, so nothing "
            "can be repeated from it."
        )
    return record


def _parsed(text: bytes) -> dict[str, Any]:
    """Read a record; it is empty when the text is none of this form."""
    try:
        record = json.loads(text)
        is_record = record["format"] == FORMAT and all(
            isinstance(record[part], kind) for part, kind in _PARTS.items()
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    return record if is_record else {}


def _is_of(record: dict[str, Any], run: Run) -> bool:
    """Say whether the record names the data of its run, and nothing of others.

    It was written by the engine beside uploaded data: what it names is handed out, so
    it is not believed.
    """
    version = run.dataset_version
    data = record.get("inputs", {}).get(DATA, "")
    kept = kept_files(run).get(PREDICTIONS)
    return (
        version is not None
        and _DIGEST.fullmatch(str(data)) is not None
        and data == version.parquet_sha256
        and record["outputs"].get(PREDICTIONS) == (kept.sha256 if kept else None)
        and _is_of_its_code(record, run)
    )


def _is_of_its_code(record: dict[str, Any], run: Run) -> bool:
    """Say whether the record asks for the very code that the run is of."""
    if not runs_code(run):
        return record.get("verb") == TrainSpec.verb and PREDICTIONS in record["outputs"]
    job = run.code_job
    return (
        record.get("verb") == RunCodeSpec.verb
        and record["inputs"].get(PROJECT) == job.code_sha256
        and record["spec"] == job.spec
    )
