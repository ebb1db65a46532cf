"""What the engine is given to measure a model version: a spec and a folder of files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.core import blobs
from apps.experiments.models import RunSource
from apps.registry.manifests import MODEL_FILES, model_file, uppermost
from apps.validation.facts import facts_of
from apps.validation.models import Rows
from apps.validation.queries import known_question_of, mission_of
from engine.spec import Cost, Criterion, EvaluateSpec, Limits

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from apps.registry.models import ModelVersion
    from apps.validation.models import ValidationPlan, ValidationReport

SIGNATURE_FILE, TEST_FILE = "signature.json", "test.parquet"
PREDICTIONS_FILE = "predictions.parquet"  # names the rows held out by their place
RESULT_FILE_BYTES = 1024**3


def evaluation_spec(version: ModelVersion, plan: ValidationPlan) -> EvaluateSpec:
    """Describe the measuring of `version` by `plan`, at the costs that it fixed."""
    question = known_question_of(version)
    mission = mission_of(plan)
    cost = _cost(mission) if question.task == "binary" else None
    return EvaluateSpec(
        task=question.task,
        target=question.target,
        positive_label=question.positive_label,
        subgroup_columns=tuple(plan.subgroup_columns),
        criteria=tuple(Criterion(**criterion) for criterion in plan.criteria),
        facts=facts_of(version),
        cost=cost,
        baseline_cost_per_1000=mission["baseline"] if cost else None,
        threads=settings.JOB_THREADS,
        limits=Limits(
            memory_bytes=settings.JOB_MEMORY_BYTES,
            cpu_seconds=settings.JOB_WALL_SECONDS * settings.JOB_THREADS,
            file_bytes=RESULT_FILE_BYTES,
        ),
    )


def _cost(mission: dict[str, Any]) -> Cost | None:
    false_alarm = mission.get("false_alarm_cost", 0.0)
    miss = mission.get("miss_cost", 0.0)
    return Cost(false_alarm, miss) if false_alarm + miss > 0 else None


def missing_files(
    version: ModelVersion, evaluated_on: str = Rows.HELD_OUT
) -> list[str]:
    """List the files without which `version` cannot be measured on these rows."""
    digests = _digests_by_name(version)
    needed = _needed_files(digests, evaluated_on)
    return [name for name in needed if name not in digests]


def prepare_report(report: ValidationReport, folder: Path) -> dict[str, Any]:
    """Put model, signature and the rows to measure on into the job folder.

    Returns:
        The engine's spec, as it was fixed when the report was asked for.
    """
    inputs = folder / "inputs"
    digests = _digests_by_name(report.version)
    _copy(digests, _needed_files(digests, report.evaluated_on), inputs)
    _write_signature(report.version, inputs)
    if report.evaluated_on == Rows.SEALED:
        sealed = report.look.part.parquet_sha256
        blobs.copy_to(sealed, inputs / TEST_FILE)
    _copy_training_rows(report, inputs)
    if report.champion is not None:
        digests = _digests_by_name(report.champion)
        _copy(digests, (_model_file(digests),), inputs / "champion")
        _write_signature(report.champion, inputs / "champion")
    spec: dict[str, Any] = report.spec
    return spec


def _digests_by_name(version: ModelVersion) -> dict[str, str]:
    """Map the name of each file of the version to its digest.

    Of files with one name the uppermost counts, which is the one that was looked at
    when the version was registered; those of the model come before others.
    """
    files = uppermost(version.evaluation_files) | uppermost(version.manifest)
    return {name: entry["sha256"] for name, entry in files.items()}


def _needed_files(names: Collection[str], evaluated_on: str) -> tuple[str, ...]:
    """The sealed rows come from the dataset, not from the run."""
    model = _model_file(names)
    return (model,) if evaluated_on == Rows.SEALED else (model, TEST_FILE)


def _model_file(names: Collection[str]) -> str:
    """Name the file of the model, of either kind; the first kind where none is."""
    return model_file(names) or MODEL_FILES[0]


def _copy(digests: dict[str, str], names: tuple[str, ...], folder: Path) -> None:
    for name in names:
        blobs.copy_to(digests[name], folder / name)


def _write_signature(version: ModelVersion, folder: Path) -> None:
    """Lay beside the model what it takes and answers, as frozen with the version.

    A file of that name among its files is only what somebody's script wrote there.
    """
    text = json.dumps(version.signature)
    (folder / SIGNATURE_FILE).write_text(text, encoding="utf-8")


def _copy_training_rows(report: ValidationReport, inputs: Path) -> None:
    """Lay the data of the training beside, with the places of the rows held out.

    Which rows somebody's own code held out is not known, so its data is only compared
    with sealed rows, which it never saw.
    """
    run, digests = report.version.run, _digests_by_name(report.version)
    if run is None or run.dataset_version is None:
        return
    is_trained_here = run.source == RunSource.TRAINING and PREDICTIONS_FILE in digests
    if is_trained_here or report.evaluated_on == Rows.SEALED:
        blobs.copy_to(run.dataset_version.parquet_sha256, inputs / "train.parquet")
    if is_trained_here:
        blobs.copy_to(digests[PREDICTIONS_FILE], inputs / "held_out.parquet")
