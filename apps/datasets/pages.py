"""What the pages of this app have in common: finding things, and the way to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import reverse

from apps.datasets.models import Dataset, DatasetVersion
from apps.projects.models import Project

if TYPE_CHECKING:
    from uuid import UUID

    from apps.core.http import HtmxRequest


def find_project(request: HtmxRequest, slug: str) -> Project:
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)


def find_dataset(request: HtmxRequest, pk: UUID) -> Dataset:
    visible = Dataset.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("project", "created_by"), pk=pk)


def find_version(request: HtmxRequest, pk: UUID) -> DatasetVersion:
    visible = DatasetVersion.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related("dataset__project", "uploaded_by"), pk=pk
    )


def trail_to(project: Project, dataset: Dataset | None = None) -> list[dict[str, str]]:
    trail = [
        {"label": project.name, "url": project.get_absolute_url()},
        {"label": "Datasets", "url": reverse("datasets:list", args=[project.slug])},
    ]
    if dataset:
        trail.append({"label": dataset.title, "url": dataset.get_absolute_url()})
    return trail


# The pages about one dataset, in the order of their links, by URL name.
_SECTIONS = (
    ("Versions", "datasets:dataset"),
    ("Datasheet", "datasets:datasheet"),
    ("Contract", "datasets:contract"),
    ("Changes", "datasets:changes"),
    ("Sealed data", "home:sealed_data"),
    ("Lineage", "home:dataset_lineage"),
)


def sections(dataset: Dataset, current: str) -> list[dict[str, str | bool]]:
    """List the pages about `dataset` for `components/section_nav.html`."""
    return [
        {
            "label": label,
            "url": reverse(name, args=[dataset.pk]),
            "is_current": label == current,
        }
        for label, name in _SECTIONS
    ]
