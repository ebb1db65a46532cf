"""The names that a search shows: plain in its own project, with the project else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, TextField
from django.db.models.functions import Collate, Concat

from apps.experiments.search.conditions import plain

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable

    from apps.projects.models import Project


def shown_name(project: Project | None, path: str = "") -> Combinable:
    """Write the name of a model as its callers know it, compared by code points.

    Args:
        project: all models are of it; None where they are of several.
        path: leads from the row to its model, ending with `__`.
    """
    name: Combinable = F(f"{path}name")
    if project is None:
        parts = f"{path}project__slug", plain("/"), f"{path}name"
        name = Concat(*parts, output_field=TextField())
    return Collate(name, "C")
