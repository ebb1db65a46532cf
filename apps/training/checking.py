"""Check a spec as the engine will, and against the data and limits of the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.core.errors import Invalid
from apps.training import queries
from engine.spec import SpecError, TrainSpec

if TYPE_CHECKING:
    from apps.datasets.models import DatasetVersion
    from apps.projects.models import Project

MAX_OUTPUT_BYTES = 4 * 1024**3


def check_spec(
    spec: dict[str, Any], project: Project, version: DatasetVersion
) -> TrainSpec:
    """Complete a spec and check it.

    A missing `cost` is taken from the objective of the project; limits are filled in
    from the settings.

    Raises:
        Invalid: it does not fit; `fields` names the fields of the spec at fault.
    """
    checked = _completed(spec, project)
    _check_columns(checked, version)
    return checked


def _completed(spec: dict[str, Any], project: Project) -> TrainSpec:
    limits = {name: value for name, value in _given_limits(spec).items() if value}
    ceilings = {
        "memory_bytes": settings.JOB_MEMORY_BYTES,
        "wall_seconds": settings.JOB_WALL_SECONDS,
        "cpu_seconds": settings.JOB_WALL_SECONDS * settings.JOB_THREADS,
        "file_bytes": MAX_OUTPUT_BYTES,
    }
    completed = {
        "cost": queries.mission_cost(project, spec.get("task")),
        **spec,
        "threads": settings.JOB_THREADS,
        "limits": {**ceilings, **limits},
    }
    try:
        checked = TrainSpec.from_json(completed)
    except SpecError as error:
        raise Invalid(
            f"The training cannot be launched: {error}",
            fields={error.field: error.problem},
        ) from error
    for name, ceiling in ceilings.items():
        if getattr(checked.limits, name) > ceiling:
            raise Invalid(
                f"The limit {name} is above what this portal allows.",
                fields={f"limits.{name}": f"At most {ceiling:,}."},
            )
    return checked


def _given_limits(spec: dict[str, Any]) -> dict[str, Any]:
    limits = spec.get("limits") or {}
    if not isinstance(limits, dict):
        raise Invalid(
            "The limits must be an object.", fields={"limits": "Must be an object."}
        )
    return limits


def _check_columns(spec: TrainSpec, version: DatasetVersion) -> None:
    known = set(version.column_names)
    if spec.target not in known:
        raise Invalid(
            f"The dataset has no column {spec.target} to learn.",
            fields={"target": "Not a column of the dataset."},
        )
    unknown = [feature.name for feature in spec.features if feature.name not in known]
    if unknown:
        raise Invalid(
            f"The dataset has no column {unknown[0]}.",
            fields={"features": f"Not columns of the dataset: {', '.join(unknown)}."},
        )
    divides_by = spec.split.column
    if divides_by is not None and divides_by not in known:
        raise Invalid(
            f"The dataset has no column {divides_by} to divide the rows by.",
            fields={"split.column": "Not a column of the dataset."},
        )
