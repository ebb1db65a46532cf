"""Experiments of a project, as a list that can be searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Q

from apps.experiments.models import Experiment, ExperimentTag, Run
from apps.experiments.search.experiments import ExperimentSearch, search_experiments

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from apps.accounts.models import User

EXPERIMENTS_ON_A_PAGE = 24


@dataclass(frozen=True)
class Listed:
    """An experiment with what a list tells of it.

    Args:
        experiment: with who created it.
        active: how many of its runs are not put aside.
        deleted: how many are.
        last_at: when the last one was recorded.
        tags: its own words, without those of MLflow for itself.
    """

    experiment: Experiment
    active: int
    deleted: int
    last_at: datetime | None
    tags: list[tuple[str, str]]


def listed_experiments(
    user: User,
    search: ExperimentSearch,
    token: str = "",
    size: int = EXPERIMENTS_ON_A_PAGE,
) -> tuple[list[Listed], str]:
    """Read one page, in four queries however many experiments there are.

    Raises:
        SearchError: filter, order or token cannot be read.
    """
    ids, following = search_experiments(
        user=user, search=search, token=token, size=size
    )
    found = Experiment.objects.select_related("created_by").in_bulk(ids)
    counts, tags = _counts(ids), _tags(ids)
    listed = [
        Listed(found[one], active, deleted, last_at, tags.get(one, []))
        for one in ids
        for active, deleted, last_at in [counts.get(one, (0, 0, None))]
    ]
    return listed, following


def _counts(ids: list[UUID]) -> dict[UUID, Any]:
    rows = Run.objects.filter(experiment__in=ids).order_by().values("experiment")
    counted = rows.annotate(
        active=Count("pk", filter=Q(deleted_at=None)),
        deleted=Count("pk", filter=Q(deleted_at__isnull=False)),
        last_at=Max("recorded_at"),
    )
    return {
        one: counts
        for one, *counts in counted.values_list(
            "experiment", "active", "deleted", "last_at"
        )
    }


def _tags(ids: list[UUID]) -> dict[UUID, list[tuple[str, str]]]:
    found: dict[UUID, list[tuple[str, str]]] = {}
    rows = ExperimentTag.objects.filter(experiment__in=ids).order_by("key")
    rows = rows.exclude(key__startswith="mlflow.")
    for one, key, value in rows.values_list("experiment", "key", "value"):
        found.setdefault(one, []).append((key, value))
    return found
