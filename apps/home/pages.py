"""What the pages about a model version have in common: finding it, and the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import reverse

from apps.projects.models import Project
from apps.registry import queries as registry_queries
from apps.registry.models import ModelVersion

if TYPE_CHECKING:
    from apps.core.http import HtmxRequest


def find_model_version(
    request: HtmxRequest, slug: str, name: str, number: int
) -> ModelVersion:
    visible = ModelVersion.objects.visible_to(request.user)
    return get_object_or_404(
        registry_queries.with_card_parts(visible),
        model__project__slug=slug,
        model__name=name,
        number=number,
    )


def trail_to_model(request: HtmxRequest, version: ModelVersion) -> list[dict[str, str]]:
    """Lead over the project only who can see it: a grant opens a single model."""
    model, project = version.model, version.project
    trail = [{"label": model.name, "url": model.get_absolute_url()}]
    if Project.objects.visible_to(request.user).filter(pk=project.pk).exists():
        return [{"label": project.name, "url": project.get_absolute_url()}, *trail]
    return [{"label": "Models", "url": reverse("registry:list")}, *trail]
