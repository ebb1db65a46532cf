"""What pages, the API, the model card and the worker read of plans and reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from django.db.models import Count

from apps.datasets.models import SealedPart
from apps.datasets.queries import looks_allowed
from apps.projects.models import Objective, Project
from apps.registry.manifests import model_file, uppermost
from apps.registry.models import Alias, AliasName, ModelVersion, RegisteredModel
from apps.validation.models import (
    SealedLook,
    ValidationPlan,
    ValidationReport,
)
from engine.spec import Task

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from apps.datasets.models import Dataset
    from apps.validation.models.reports import ValidationReportQuerySet

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
    return model_file(uppermost(champion.manifest)) is not None


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


def has_costs(objective: Objective) -> bool:
    """Say whether errors cost anything in the mission's own unit."""
    return objective.false_alarm_cost + objective.miss_cost > 0


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
