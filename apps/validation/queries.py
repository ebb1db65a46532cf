"""What pages, the API, the model card and the worker read of plans and reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

from django.conf import settings
from django.db.models import Count

from apps.core import blobs
from apps.datasets.models import SealedPart
from apps.datasets.queries import looks_allowed
from apps.experiments.models import Artifact, RunSource
from apps.projects.models import Objective, Project
from apps.registry.models import Alias, AliasName, ModelVersion, RegisteredModel
from apps.registry.rules import MODEL_FILES, model_file
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


def newest_version(model: RegisteredModel) -> ModelVersion:
    """Return the version registered last; a model has one from the beginning."""
    versions = model.versions.select_related("run__dataset_version")
    return versions.order_by("-number")[0]


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
    data = version.run.dataset_version
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


def _model_files(found: Collection[str]) -> tuple[str, str]:
    """Name the file of the model, of either kind, and what it takes and answers."""
    return (model_file(found) or MODEL_FILES[0], SIGNATURE_FILE)


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
        .filter(version=version.run.dataset_version_id)
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
    """Map the name of each file of the version's run to its digest.

    Of files with one name the uppermost counts, which is the one that was looked at
    when the version was registered.
    """
    rows = Artifact.objects.filter(run_id=version.run_id).values_list("path", "sha256")
    found = [(PurePosixPath(path), sha256) for path, sha256 in rows]
    found.sort(key=lambda pair: len(pair[0].parts), reverse=True)
    return {path.name: sha256 for path, sha256 in found}


def champion_to_beat(version: ModelVersion) -> ModelVersion | None:
    """Return the model's champion when it is another answer to the same question."""
    alias = (
        Alias.objects.filter(model=version.model, name=AliasName.CHAMPION)
        .exclude(version=version)
        .select_related("version__run", "version__model__project")
        .first()
    )
    if alias is None or question_of(alias.version) != question_of(version):
        return None
    found = _files(alias.version)
    is_whole = all(name in found for name in _model_files(found))
    return alias.version if is_whole else None


def objective_of(project: Project) -> Objective | None:
    """Return what the project's program manager stated, if anything."""
    return Objective.objects.filter(project=project).first()


def evaluation_spec(version: ModelVersion, plan: ValidationPlan) -> EvaluateSpec:
    """Describe the measuring of `version` by `plan`, at the costs of this moment."""
    question = known_question_of(version)
    objective = objective_of(version.project)
    cost = _cost(objective) if question.task == "binary" else None
    return EvaluateSpec(
        task=question.task,
        target=question.target,
        positive_label=question.positive_label,
        subgroup_columns=tuple(plan.subgroup_columns),
        criteria=tuple(Criterion(**criterion) for criterion in plan.criteria),
        facts=facts_of(version),
        cost=cost,
        baseline_cost_per_1000=objective.baseline if objective and cost else None,
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


def _cost(objective: Objective | None) -> Cost | None:
    if objective is None or not has_costs(objective):
        return None
    return Cost(objective.false_alarm_cost, objective.miss_cost)


def prepare_report(report: ValidationReport, folder: Path) -> dict[str, Any]:
    """Put model, signature and the rows to measure on into the job folder.

    Returns:
        The engine's spec, as it was fixed when the report was asked for.
    """
    inputs = folder / "inputs"
    found = _files(report.version)
    _copy(found, _needed_files(found, report.evaluated_on), inputs)
    if report.evaluated_on == Rows.SEALED:
        sealed = report.look.part.parquet_sha256
        blobs.copy_to(sealed, inputs / TEST_FILE)
    _copy_training_rows(report, inputs)
    if report.champion is not None:
        found = _files(report.champion)
        _copy(found, _model_files(found), inputs / "champion")
    spec: dict[str, Any] = report.spec
    return spec


def _copy_training_rows(report: ValidationReport, inputs: Path) -> None:
    """Lay the data of the training beside, with the places of the rows held out.

    Which rows somebody's own code held out is not known, so its data is only compared
    with sealed rows, which it never saw.
    """
    run, files = report.version.run, _files(report.version)
    is_trained_here = run.source == RunSource.TRAINING and PREDICTIONS_FILE in files
    if run.dataset_version is None:
        return
    if is_trained_here or report.evaluated_on == Rows.SEALED:
        blobs.copy_to(run.dataset_version.parquet_sha256, inputs / "train.parquet")
    if is_trained_here:
        blobs.copy_to(files[PREDICTIONS_FILE], inputs / "held_out.parquet")


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
