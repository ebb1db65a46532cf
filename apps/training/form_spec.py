"""Between the launch form and the spec: each can be made from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.training.launch_fields import GIBIBYTE, most_gibibytes, most_minutes
from engine.spec import MISSION_COST, Search, TrainSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL_MINUTES = 10
SECONDS_PER_MINUTE = 60
MISSION_COSTS = f"{MISSION_COST}_per_1000"


def form_values(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of the launch form's fields.

    Also `parameters` and `kinds`, from which the form makes fields of its own.

    Raises:
        SpecError: the engine would not take the spec.
    """
    read = TrainSpec.from_json(dict(spec))
    search = read.search or Search()
    objective = read.objective or ""
    limits = read.limits
    return {
        "task": read.task,
        "positive_label": read.positive_label,
        "features": [feature.name for feature in read.features],
        "kinds": {feature.name: feature.kind for feature in read.features},
        "objective": MISSION_COST if objective == MISSION_COSTS else objective,
        "by_mission_cost": read.cost is not None,
        "estimator": read.estimator,
        "parameters": dict(read.parameters),
        "search_method": search.method if read.search else "",
        "trials": search.trials,
        "folds": search.folds,
        "search_minutes": search.minutes,
        "split_method": read.split.method,
        "split_column": read.split.column or "",
        "validation_ratio": read.split.validation_ratio,
        "test_ratio": read.test_ratio,
        "max_rows": read.max_rows,
        "missing": read.preprocessing.missing,
        "categories": read.preprocessing.categories,
        "scale": read.preprocessing.scale,
        "text_buckets": read.preprocessing.text_buckets,
        "image_method": read.images.method,
        "image_size": read.images.size,
        "class_weight": read.class_weight is not None,
        "calibration": read.calibration,
        "refit": read.refit,
        "seed": read.seed,
        "minutes": (limits.wall_seconds or 0) // SECONDS_PER_MINUTE
        or min(USUAL_MINUTES, most_minutes()),
        "memory_gib": (limits.memory_bytes or 0) // GIBIBYTE or most_gibibytes(),
    }


def lost_in_form(spec: Mapping[str, Any]) -> list[str]:
    """Name the parts of a spec that the form has no field for and would not keep."""
    read = TrainSpec.from_json(dict(spec))
    lost = {
        "search.values": read.search is not None and bool(read.search.values),
        "search.stop_after": read.search is not None
        and read.search.stop_after is not None,
        "class_weight": isinstance(read.class_weight, dict),
    }
    return [name for name, is_lost in lost.items() if is_lost]


def spec_of_form(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the spec of what was filled in.

    Args:
        given: cleaned fields, and `target`, `kinds`, `cost` and `parameters`.
    """
    is_binary = given["task"] == "binary"
    costs = given.get("by_mission_cost") or given["objective"] == MISSION_COST
    method = given["split_method"]
    return {
        "task": given["task"],
        "target": given["target"],
        "positive_label": (given.get("positive_label") or None) if is_binary else None,
        "features": [
            {"name": name, "kind": given["kinds"][name]} for name in given["features"]
        ],
        "estimator": given["estimator"],
        "parameters": given["parameters"],
        "search": _search(given),
        "class_weight": "balanced" if given.get("class_weight") else None,
        "calibration": given.get("calibration") or "none",
        "objective": given["objective"] or None,
        "cost": given["cost"] if costs and is_binary else None,
        "split": {
            "method": method,
            "column": None if method == "random" else given["split_column"] or None,
            "validation_ratio": given["validation_ratio"],
        },
        "test_ratio": given["test_ratio"],
        **_preparation(given),
        "refit": given["refit"],
        "max_rows": given["max_rows"],
        "seed": given["seed"],
        "limits": {
            "wall_seconds": given["minutes"] * SECONDS_PER_MINUTE,
            "memory_bytes": given["memory_gib"] * GIBIBYTE,
        },
    }


def _search(given: Mapping[str, Any]) -> dict[str, Any] | None:
    if not given["search_method"]:
        return None
    usual = Search()
    return {
        "method": given["search_method"],
        "trials": given["trials"] or usual.trials,
        "folds": given["folds"] or usual.folds,
        "minutes": given["search_minutes"],
    }


def _preparation(given: Mapping[str, Any]) -> dict[str, Any]:
    preprocessing = {
        name: given[name]
        for name in ("missing", "categories", "scale", "text_buckets")
        if name in given
    }
    images = {
        name.removeprefix("image_"): given[name]
        for name in ("image_method", "image_size")
        if name in given
    }
    return {"preprocessing": preprocessing, "images": images}
