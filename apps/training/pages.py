"""What the pages of this app have in common: finding things, and the way to them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse

from apps.datasets.models import DatasetVersion
from apps.experiments.models import Experiment
from apps.projects.models import Project
from apps.training import queries
from apps.training.models import TrainingJob

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.core.http import HtmxRequest


def find_project(request: HtmxRequest, slug: str) -> Project:
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)


def find_job(request: HtmxRequest, pk: UUID) -> TrainingJob:
    visible = queries.with_origins(TrainingJob.objects.visible_to(request.user))
    return get_object_or_404(visible.select_related("relaunch_of", "relaunch"), pk=pk)


def find_source(request: HtmxRequest, project: Project) -> TrainingJob | None:
    """Find the job that `?from=` names, with which a launch begins."""
    named = request.GET.get("from")
    if not named:
        return None
    try:
        pk = UUID(named)
    except ValueError as error:
        raise Http404 from error
    visible = TrainingJob.objects.visible_to(request.user)
    found = queries.with_origins(visible.filter(experiment__project=project))
    return get_object_or_404(found, pk=pk)


def versions_of(request: HtmxRequest, project: Project) -> QuerySet[DatasetVersion]:
    """List what can be learned from, the newest first."""
    return (
        DatasetVersion.objects.visible_to(request.user)
        .filter(dataset__project=project)
        .ready()
        .select_related("dataset__project")
        .order_by("-pk")
    )


def experiments_of(request: HtmxRequest, project: Project) -> QuerySet[Experiment]:
    visible = Experiment.objects.visible_to(request.user)
    return visible.filter(project=project).order_by("-pk")


def trail_to(project: Project, *, to_jobs: bool = True) -> list[dict[str, str]]:
    jobs = reverse("training:list", args=[project.slug])
    return [
        {"label": project.name, "url": project.get_absolute_url()},
        {"label": "Training jobs", "url": jobs},
    ][: 1 + to_jobs]
