"""The one thing a member would best do next in a project, by their role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef
from django.urls import reverse

from apps.access.checks import roles_of
from apps.access.roles import DATA_SCIENTIST, PROGRAM_MANAGER, ROLES, VALIDATOR
from apps.approvals.policies import SIGNING_ROLES
from apps.approvals.waiting import waiting_for
from apps.datasets.models import DatasetVersion
from apps.experiments.models import Run
from apps.projects.models import Objective
from apps.registry.models import ModelVersion, RegisteredModel, VersionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from apps.accounts.models import User
    from apps.projects.models import Project


@dataclass(frozen=True)
class NextStep:
    """A suggestion: why, what, and where."""

    sentence: str
    label: str
    url: str


def next_step(project: Project, user: User) -> NextStep | None:
    """Suggest what `user` would best do next; a signature comes before all else."""
    waiting = waiting_for(user).filter(version__model__project=project)
    if approval := waiting.select_related("version__model__project").first():
        return NextStep(
            f"{approval.version} waits for your signature.",
            "Read the evidence",
            approval.get_absolute_url(),
        )
    steps = [step for role in roles_of(user, project) for step in _BY_ROLE[role.slug]]
    return next((found for step in steps if (found := step(project, user))), None)


def _objective(project: Project, user: User) -> NextStep | None:
    if Objective.objects.filter(project=project).exists():
        return None
    return NextStep(
        "Say what the mission gains and what each kind of error costs, so that models "
        "are judged by it.",
        "State the objective",
        reverse("projects:state_objective", args=[project.slug]),
    )


def _signers(project: Project, user: User) -> NextStep | None:
    held = set(project.memberships.values_list("role", flat=True))
    missing = [role for role in ROLES.values() if role.slug in SIGNING_ROLES - held]
    if not missing:
        return None
    return NextStep(
        f"Nobody can sign as {missing[0].title.lower()} yet.",
        "Add a member",
        reverse("projects:add_member", args=[project.slug]),
    )


def _data(project: Project, user: User) -> NextStep | None:
    versions = DatasetVersion.objects.visible_to(user).ready()
    if versions.filter(dataset__project=project).exists():
        return None
    return NextStep(
        "There is no data to learn from yet.",
        "Upload a dataset",
        reverse("datasets:upload_dataset", args=[project.slug]),
    )


def _training(project: Project, user: User) -> NextStep | None:
    if Run.objects.filter(experiment__project=project).exists():
        return None
    return NextStep(
        "The data is ready to be learned from.",
        "Launch training",
        reverse("training:launch_training", args=[project.slug]),
    )


def _registration(project: Project, user: User) -> NextStep | None:
    if RegisteredModel.objects.visible_to(user).filter(project=project).exists():
        return None
    # There is one, or `_training` had been suggested.
    newest = Run.objects.filter(experiment__project=project).latest("pk")
    return NextStep(
        "There is a finished run, but no registered model.",
        "Look at the newest run",
        newest.get_absolute_url(),
    )


def _approval(project: Project, user: User) -> NextStep | None:
    version = _newest(project, user).filter(state=VersionState.VALIDATED).first()
    if version is None:
        return None
    return NextStep(
        f"{version} is validated and can be put before the signers.",
        "Ask for approval",
        reverse(
            "approvals:request_approval",
            args=[project.slug, version.model.name, version.number],
        ),
    )


def _plan(project: Project, user: User) -> NextStep | None:
    models = RegisteredModel.objects.visible_to(user).filter(project=project)
    # Of what cannot be evaluated nothing is promised.
    fit = ModelVersion.objects.active().filter(unfit_reason="", pickles=[])
    models = models.filter(validation_plans__isnull=True, versions__in=fit)
    model = models.order_by("pk").first()
    if model is None:
        return None
    return NextStep(
        f"Nobody said yet what {model.name} must do before its results are seen.",
        "Write a validation plan",
        reverse("validation:write_plan", args=[project.slug, model.name]),
    )


def _report(project: Project, user: User) -> NextStep | None:
    unmeasured = _newest(project, user).filter(
        state=VersionState.DRAFT,
        validation_reports__isnull=True,
        unfit_reason="",
        pickles=[],
    )
    version = unmeasured.first()
    if version is None:
        return None
    return NextStep(
        f"{version} was not measured yet.",
        "Compute a report",
        version.get_absolute_url(),
    )


def _newest(project: Project, user: User) -> QuerySet[ModelVersion]:
    """The newest version of each visible model."""
    newer = ModelVersion.objects.active().filter(
        model=OuterRef("model"), number__gt=OuterRef("number")
    )
    versions = ModelVersion.objects.visible_to(user).filter(
        ~Exists(newer), model__project=project
    )
    return versions.select_related("model__project").order_by("-pk")


_BY_ROLE: dict[str, tuple[Callable[[Project, User], NextStep | None], ...]] = {
    **dict.fromkeys(ROLES, ()),
    PROGRAM_MANAGER.slug: (_objective, _signers),
    DATA_SCIENTIST.slug: (_data, _training, _registration, _approval),
    VALIDATOR.slug: (_plan, _report),
}
