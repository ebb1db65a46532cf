"""Reads across apps: how the projects of a person are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.utils import timezone

from apps.approvals.models import ApprovalRequest, ApprovalStatus
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.queries import with_names
from apps.jobs.models import JobStatus
from apps.projects.models import Objective, Project
from apps.registry.models import (
    Alias,
    AliasName,
    ModelVersion,
    RegisteredModel,
    VersionState,
)
from apps.training.models import TrainingJob
from apps.validation.models import KIND_OF_VERDICT, ValidationReport, Verdict
from apps.validation.reading import said

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from apps.accounts.models import User

RECENT = timedelta(days=14)
# Events that tell nothing about the work.
QUIET = (
    EventType.ACCESS_FAILED,
    EventType.ACCESS_REFUSED,
    EventType.ACCOUNT_SIGN_IN_FAILED,
    EventType.ACCOUNT_SIGNED_IN,
    EventType.AUDIT_VIEWED,
)
LIST_LENGTH = 50
LIFE = (
    VersionState.DRAFT,
    VersionState.VALIDATED,
    VersionState.IN_REVIEW,
    VersionState.APPROVED,
)
# States off that way -> how far the version had come.
STOPPED_AT = {
    VersionState.REJECTED: VersionState.IN_REVIEW,
    VersionState.SUSPENDED: VersionState.APPROVED,
    VersionState.STALE: VersionState.APPROVED,
}


@dataclass(frozen=True)
class Champion:
    """The version that answers for a model now, with its newest verdict.

    Attributes:
        cost: of errors per 1,000 cases, in `unit`; None when it was not measured.
    """

    version: ModelVersion
    verdict: str = ""
    kind: str = "neutral"
    cost: str | None = None
    unit: str = ""


@dataclass
class ProjectHealth:
    """How one project is, in a card."""

    project: Project
    champions: list[Champion] = field(default_factory=list)
    model_count: int = 0
    open_requests: int = 0
    running_jobs: int = 0
    failed_jobs: int = 0


def health_of(projects: Sequence[Project], user: User) -> list[ProjectHealth]:
    """Say how each of `projects` is; the number of queries does not grow with them."""
    models = RegisteredModel.objects.visible_to(user).filter(project__in=projects)
    requests = ApprovalRequest.objects.visible_to(user).filter(
        status=ApprovalStatus.IN_REVIEW, version__model__project__in=projects
    )
    counted = Counter(models.values_list("project_id", flat=True))
    asked = Counter(requests.values_list("version__model__project_id", flat=True))
    champions, jobs = _champions(models), _job_counts(projects)
    return [
        ProjectHealth(
            project,
            champions[project.pk],
            counted[project.pk],
            asked[project.pk],
            **jobs.get(project.pk, {}),
        )
        for project in projects
    ]


def _champions(models: QuerySet[RegisteredModel]) -> dict[UUID, list[Champion]]:
    aliases = Alias.objects.filter(model__in=models, name=AliasName.CHAMPION)
    rows = aliases.select_related("version__model__project").order_by("pk")
    rows = rows.defer("version__manifest", "version__signature")
    versions = [alias.version for alias in rows]
    measured = _newest_findings(versions)
    found = defaultdict(list)
    for version in versions:
        findings = measured.get(version.pk, {})
        found[version.model.project_id].append(Champion(version, **findings))
    return found


def _newest_findings(versions: Sequence[ModelVersion]) -> dict[UUID, dict[str, Any]]:
    cost = KeyTransform("cost_per_1000", KeyTransform("mission", "result"))
    reports = (
        ValidationReport.objects.filter(
            version__in=versions, status=JobStatus.SUCCEEDED
        )
        .order_by("version_id", "-number")
        .distinct("version_id")
        .values("version_id", "verdict", "cost_unit", cost=cost)
    )
    return {
        report["version_id"]: {
            "verdict": Verdict(report["verdict"]).label,
            "kind": KIND_OF_VERDICT[Verdict(report["verdict"])],
            "cost": None if report["cost"] is None else said(report["cost"]),
            "unit": report["cost_unit"],
        }
        for report in reports
    }


def _job_counts(projects: Sequence[Project]) -> dict[UUID, dict[str, int]]:
    since = timezone.now() - RECENT
    rows = (
        TrainingJob.objects.filter(experiment__project__in=projects)
        .values_list("experiment__project")
        .annotate(
            running_jobs=Count(
                "pk", filter=Q(status__in=[JobStatus.QUEUED, JobStatus.RUNNING])
            ),
            failed_jobs=Count(
                "pk", filter=Q(status=JobStatus.FAILED, finished_at__gte=since)
            ),
        )
    )
    return {
        project_id: {"running_jobs": running, "failed_jobs": failed}
        for project_id, running, failed in rows
    }


def recent_events(user: User, limit: int, **narrowed: Any) -> list[AuditEvent]:
    """List what happened lately, as far as `user` may read the trail."""
    events = AuditEvent.objects.visible_to(user).filter(**narrowed)
    telling = events.exclude(type__in=QUIET)
    return with_names(telling.order_by("-event_id")[:limit])


def version_steps(version: ModelVersion) -> list[dict[str, str]]:
    """Give the life of `version` for `step_indicator.html`."""
    state = VersionState(version.state)
    is_stopped = state in STOPPED_AT
    reached = STOPPED_AT.get(state, state)
    place = LIFE.index(reached)
    here = "stopped" if is_stopped else "current"
    if state == LIFE[-1]:
        here = "complete"
    states = ["complete"] * place + [here] + ["upcoming"] * (len(LIFE) - place - 1)
    labels = [
        state.label if look == "stopped" else step.label
        for step, look in zip(LIFE, states, strict=True)
    ]
    return [
        {"label": label, "state": state}
        for label, state in zip(labels, states, strict=True)
    ]


def objective_figures(objective: Objective) -> list[dict[str, Any]]:
    """Give the objective in numbers, for `key_figures.html`."""
    unit = objective.unit
    return [
        {"label": "Today", "value": said(objective.baseline), "detail": unit},
        {
            "label": "Target",
            "value": said(objective.target),
            "detail": f"{unit}; {objective.get_direction_display().lower()}",
            "kind": "success",
        },
        {
            "label": "A false alarm costs",
            "value": said(objective.false_alarm_cost),
            "detail": unit,
        },
        {"label": "A miss costs", "value": said(objective.miss_cost), "detail": unit},
    ]
