"""What the pages of this app have in common: finding things, and the way to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import reverse

from apps.experiments.models import Experiment, Run
from apps.projects.models import Project

if TYPE_CHECKING:
    from uuid import UUID

    from apps.core.http import HtmxRequest


def find_project(request: HtmxRequest, slug: str) -> Project:
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)


def find_experiment(request: HtmxRequest, pk: UUID) -> Experiment:
    visible = Experiment.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("project", "created_by"), pk=pk)


def find_run(request: HtmxRequest, pk: UUID) -> Run:
    visible = Run.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related(
            "experiment__project", "dataset_version__dataset__project", "recorded_by"
        ),
        pk=pk,
    )


def trail_to(
    project: Project, experiment: Experiment | None = None
) -> list[dict[str, str]]:
    experiments = reverse("experiments:list", args=[project.slug])
    trail = [
        {"label": project.name, "url": project.get_absolute_url()},
        {"label": "Experiments", "url": experiments},
    ]
    if experiment:
        trail.append({"label": experiment.name, "url": experiment.get_absolute_url()})
    return trail
