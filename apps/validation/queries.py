"""What pages, the API, the model card and the worker read of plans and reports."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from django.conf import settings
from django.db.models import Count

from apps.core import blobs
from apps.datasets.models import SealedPart
from apps.datasets.queries import looks_allowed
from apps.experiments.models import RunSource
from apps.projects.models import Objective, Project
from apps.registry.manifests import MODEL_FILES, model_file, uppermost
from apps.registry.models import Alias, AliasName, ModelVersion, RegisteredModel
from apps.validation.facts import facts_of
from apps.validation.models import (
    Rows,
    SealedLook,
    ValidationPlan,
    ValidationReport,
)
from engine.spec import Cost, Criterion, EvaluateSpec, Limits, Task

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from django.db.models import QuerySet

    from apps.datasets.models import Dataset
    from apps.validation.models.reports import ValidationReportQuerySet

SIGNATURE_FILE, TEST_FILE = "signature.json", "test.parquet"
PREDICTIONS_FILE = "predictions.parquet"  # names the rows held out by their place
RESULT_FILE_BYTES = 1024**3
MOST_CHAMPIONS = 20


@dataclass(frozen=True)
class Question:
    """What a model answers; versions with one question can be compared.

    Attributes:
        positive_label: of a binary target; None for other tasks.
    """

    task: Task
    target: str
    positive_label: str | None


def question_of(version: ModelVersion) -> Question | None:
    """Read from its signature what `version` answers; None when it does not say."""
    signature = version.signature
    task, target = signature.get("task"), signature.get("target")
    label = signature.get("positive_label")
    if task not in get_args(Task) or not isinstance(target, str):
        return None
    if isinstance(label, str) != (task == "binary"):
        return None
    return Question(task, target, label)


def known_question_of(version: ModelVersion) -> Question:
    """Return what `version` answers, where a rule has made sure that it says so.

    Raises:
        ValueError: it does not.
    """
    question = question_of(version)
    if question is None:
        raise ValueError(f"{version} has no usable signature.")
    return question


def newest_version(model: RegisteredModel) -> ModelVersion | None:
    """Return the version registered last; a model may have none yet."""
    versions = model.versions.active().select_related("run__dataset_version")
    return versions.order_by("-number").first()


def known_newest_version(model: RegisteredModel) -> ModelVersion:
    """Return the version registered last, where a rule has made sure of one.

    Raises:
        ValueError: there is none.
    """
    version = newest_version(model)
    if version is None:
        raise ValueError(f"{model} has no version.")
    return version


def latest_plan(model: RegisteredModel) -> ValidationPlan | None:
    """Return the plan that the next report is judged by."""
    return model.validation_plans.order_by("-number").first()


def latest_report(version: ModelVersion) -> ValidationReport | None:
    """Return the newest report on `version` that is finished."""
    reports = version.validation_reports.finished()
    return reports.select_related("plan", "champion__model").first()


def reports_of(version: ModelVersion) -> ValidationReportQuerySet:
    """List every report on `version`, whatever became of it, newest first."""
    reports = version.validation_reports.with_standing()
    reports = reports.select_related("plan", "requested_by")
    return reports.order_by("-number").defer("result", "log_tail")


def with_origins(reports: ValidationReportQuerySet) -> ValidationReportQuerySet:
    """Join everything that a report's page and API body name."""
    return reports.with_standing().select_related(
        "version__model__project",
        "version__run__dataset_version__dataset",
        "plan__written_by",
        "plan__champion",
        "champion__model__project",
        "champion__run",
        "requested_by",
        "look",
    )


def has_reports(model: RegisteredModel) -> bool:
    """Say whether anybody could have seen results of `model` already."""
    return ValidationReport.objects.filter(version__model=model).exists()


def subgroup_candidates(version: ModelVersion) -> list[str]:
    """List the columns by which held-out rows can be told apart."""
    data = version.data
    target = version.signature.get("target")
    return [name for name in data.column_names if name != target] if data else []


def missing_files(
    version: ModelVersion, evaluated_on: str = Rows.HELD_OUT
) -> list[str]:
    """List the files without which `version` cannot be measured on these rows."""
    found = _files(version)
    return [name for name in _needed_files(found, evaluated_on) if name not in found]


def _needed_files(found: Collection[str], evaluated_on: str) -> tuple[str, ...]:
    """The sealed rows come from the dataset, not from the run."""
    if evaluated_on == Rows.SEALED:
        return _model_files(found)
    return (*_model_files(found), TEST_FILE)


def _model_files(found: Collection[str]) -> tuple[str]:
    """Name the file of the model, of either kind."""
    return (model_file(found) or MODEL_FILES[0],)


@dataclass(frozen=True)
class SealedStanding:
    """How often a model family may still be measured on sealed rows.

    Attributes:
        part: the sealed rows of the dataset version that the version learned from.
        taken: looks of all versions of the model at the sealed data of that dataset.
        allowed: the budget of the project.
    """

    part: SealedPart
    taken: int
    allowed: int

    @property
    def words(self) -> str:
        """Say how often the family has looked."""
        times = "time" if self.taken == 1 else "times"
        return f"This model family has looked {self.taken} {times} of {self.allowed}."


def sealed_standing(version: ModelVersion) -> SealedStanding | None:
    """Say how `version` stands to the sealed rows of its data; None without any."""
    part = (
        SealedPart.objects.ready()
        .filter(version=version.data)
        .select_related("version__dataset__project")
        .first()
    )
    if part is None:
        return None
    taken = SealedLook.objects.filter(
        model=version.model_id, dataset=part.version.dataset_id
    )
    return SealedStanding(part, taken.count(), looks_allowed(version.project))


def known_sealed_standing(version: ModelVersion) -> SealedStanding:
    """Return how `version` stands to sealed rows, where a rule has seen some.

    Raises:
        ValueError: there are none.
    """
    standing = sealed_standing(version)
    if standing is None:
        raise ValueError(f"The data of {version} has no sealed rows.")
    return standing


def looks_at(dataset: Dataset) -> QuerySet[SealedLook]:
    """List every look at the sealed data of a dataset with what it came of."""
    return SealedLook.objects.filter(dataset=dataset).select_related(
        "model__project", "report__version__model__project", "report__requested_by"
    )


def look_counts(dataset: Dataset) -> dict[UUID, int]:
    """Count the looks at the sealed data of a dataset, by model."""
    counted = (
        SealedLook.objects.filter(dataset=dataset)
        .values_list("model_id")
        .annotate(Count("pk"))
    )
    return dict(counted)


def _files(version: ModelVersion) -> dict[str, str]:
    """Map the name of each file of the version to its digest.

    Of files with one name the uppermost counts, which is the one that was looked at
    when the version was registered; those of the model come before others.
    """
    own = uppermost(version.manifest)
    beside = uppermost(version.evaluation_files)
    return {name: entry["sha256"] for name, entry in (beside | own).items()}


def champion_to_beat(
    version: ModelVersion, plan: ValidationPlan
) -> ModelVersion | None:
    """Return what the plan compares with, if it can be: by default the champion."""
    if plan.champion:
        if plan.champion == version or not can_be_beaten(plan.champion, version):
            return None
        return plan.champion
    alias = (
        Alias.objects.filter(model=version.model, name=AliasName.CHAMPION)
        .exclude(version=version)
        .select_related("version__run", "version__model__project")
        .first()
    )
    if alias is None or not can_be_beaten(alias.version, version):
        return None
    return alias.version


def possible_champions(version: ModelVersion) -> list[int]:
    """List the numbers of the versions with which a plan can compare, newest first."""
    newest = version.model.versions.active().order_by("-number")
    versions = newest[:MOST_CHAMPIONS]
    return [one.number for one in versions if can_be_beaten(one, version)]


def can_be_beaten(champion: ModelVersion, version: ModelVersion) -> bool:
    """Say whether `champion` answers the same question, and its files are there."""
    if champion.quarantine or question_of(champion) != question_of(version):
        return False
    found = _files(champion)
    return all(name in found for name in _model_files(found))


def objective_of(project: Project) -> Objective | None:
    """Return what the project's program manager stated, if anything."""
    return Objective.objects.filter(project=project).first()


MISSION = (
    *("measure", "unit", "direction", "baseline", "target"),
    *("false_alarm_cost", "miss_cost"),
)


def mission_now(project: Project) -> dict[str, Any]:
    """Return the objective of a project as plain values; empty when there is none."""
    objective = objective_of(project)
    return {name: getattr(objective, name) for name in MISSION} if objective else {}


def mission_of(plan: ValidationPlan) -> dict[str, Any]:
    """Return the objective that a plan fixed, else the one of this moment."""
    return plan.mission or mission_now(plan.project)


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


def has_costs(objective: Objective) -> bool:
    """Say whether errors cost anything in the mission's own unit."""
    return objective.false_alarm_cost + objective.miss_cost > 0


def _cost(mission: dict[str, Any]) -> Cost | None:
    false_alarm = mission.get("false_alarm_cost", 0.0)
    miss = mission.get("miss_cost", 0.0)
    return Cost(false_alarm, miss) if false_alarm + miss > 0 else None


def prepare_report(report: ValidationReport, folder: Path) -> dict[str, Any]:
    """Put model, signature and the rows to measure on into the job folder.

    Returns:
        The engine's spec, as it was fixed when the report was asked for.
    """
    inputs = folder / "inputs"
    found = _files(report.version)
    _copy(found, _needed_files(found, report.evaluated_on), inputs)
    _tell_signature(report.version, found, inputs)
    if report.evaluated_on == Rows.SEALED:
        sealed = report.look.part.parquet_sha256
        blobs.copy_to(sealed, inputs / TEST_FILE)
    _copy_training_rows(report, inputs)
    if report.champion is not None:
        found = _files(report.champion)
        _copy(found, _model_files(found), inputs / "champion")
        _tell_signature(report.champion, found, inputs / "champion")
    spec: dict[str, Any] = report.spec
    return spec


def _copy_training_rows(report: ValidationReport, inputs: Path) -> None:
    """Lay the data of the training beside, with the places of the rows held out.

    Which rows somebody's own code held out is not known, so its data is only compared
    with sealed rows, which it never saw.
    """
    run, files = report.version.run, _files(report.version)
    if run is None or run.dataset_version is None:
        return
    is_trained_here = run.source == RunSource.TRAINING and PREDICTIONS_FILE in files
    if is_trained_here or report.evaluated_on == Rows.SEALED:
        blobs.copy_to(run.dataset_version.parquet_sha256, inputs / "train.parquet")
    if is_trained_here:
        blobs.copy_to(files[PREDICTIONS_FILE], inputs / "held_out.parquet")


def _tell_signature(version: ModelVersion, found: dict[str, str], folder: Path) -> None:
    """Lay what the model takes and answers beside it.

    Where no file of the version says so in the engine's form, the registry read it
    from what it has, and keeps it.
    """
    if SIGNATURE_FILE in found:
        _copy(found, (SIGNATURE_FILE,), folder)
    else:
        text = json.dumps(version.signature)
        (folder / SIGNATURE_FILE).write_text(text, encoding="utf-8")


def _copy(digests: dict[str, str], names: tuple[str, ...], folder: Path) -> None:
    for name in names:
        blobs.copy_to(digests[name], folder / name)


def card_section(version: ModelVersion) -> dict[str, Any] | None:
    """Return validation's part of the model card; None without a finished report."""
    report = latest_report(version)
    if report is None:
        return None
    return {
        "report": {
            "id": str(report.pk),
            "number": report.number,
            "finished_at": report.finished_at,
            "result_digest": report.result_digest,
            "evaluated_on": report.evaluated_on,
        },
        "plan": {
            "number": report.plan.number,
            "written_at": report.plan.written_at,
            "criteria": report.plan.criteria_in_words,
        },
        "verdict": report.verdict,
        "rows": report.result.get("rows"),
        "cost_unit": report.cost_unit,
        **{
            key: report.result.get(key)
            for key in ("checks", "measures", "mission", "subgroups", "champion")
        },
    }
