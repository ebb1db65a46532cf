"""Specs to begin with: a few ways that have proved themselves, for one target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.training import proposals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.datasets.models import DatasetVersion

Changes = Callable[["DatasetVersion", dict[str, Any]], dict[str, Any] | None]


@dataclass(frozen=True)
class SpecTemplate:
    """A way to begin.

    Args:
        slug: as it stands in addresses.
        title: on its link.
        help: when to take it.
        changes: fields that replace those of the proposed spec, or None where this way
            does not suit the data.
    """

    slug: str
    title: str
    help: str
    changes: Changes


def _proposed(version: DatasetVersion, spec: dict[str, Any]) -> dict[str, Any]:
    return {}


def _explained(version: DatasetVersion, spec: dict[str, Any]) -> dict[str, Any]:
    is_regression = spec["task"] == "regression"
    return {"estimator": "ridge" if is_regression else "logistic_regression"}


def _searched(version: DatasetVersion, spec: dict[str, Any]) -> dict[str, Any]:
    return {"search": {"method": "tpe", "trials": 40, "folds": 3, "minutes": 5.0}}


def _rare(version: DatasetVersion, spec: dict[str, Any]) -> dict[str, Any] | None:
    if spec["task"] == "regression":
        return None
    return {
        "estimator": "random_forest",
        "class_weight": "balanced",
        "calibration": "sigmoid",
    }


def _by_time(version: DatasetVersion, spec: dict[str, Any]) -> dict[str, Any] | None:
    times = [one for one in proposals.time_columns(version) if one != spec["target"]]
    if not times:
        return None
    return {"split": {"method": "time", "column": times[0]}}


TEMPLATES: Mapping[str, SpecTemplate] = {
    template.slug: template
    for template in (
        SpecTemplate(
            "proposed",
            "Good first try",
            "Boosted trees with usual settings; done in a minute.",
            _proposed,
        ),
        SpecTemplate(
            "explained",
            "Easy to explain",
            "Weighted evidence that adds up; the yardstick for all others.",
            _explained,
        ),
        SpecTemplate(
            "searched",
            "Careful search",
            "Up to 40 settings in five minutes, each next one guided by those before.",
            _searched,
        ),
        SpecTemplate(
            "rare",
            "Rare cases",
            "Gives rare classes more weight and corrects the probabilities.",
            _rare,
        ),
        SpecTemplate(
            "by_time",
            "Learn from the past",
            "Learns from earlier rows and is tested on later ones.",
            _by_time,
        ),
    )
}


def specs_for(
    version: DatasetVersion, target: str, cost: Mapping[str, float] | None
) -> dict[str, dict[str, Any]]:
    """Give the specs of all templates that suit `target`, by slug."""
    base = proposals.proposed_spec(version, target, cost)
    found = {slug: one.changes(version, base) for slug, one in TEMPLATES.items()}
    return {slug: base | given for slug, given in found.items() if given is not None}
