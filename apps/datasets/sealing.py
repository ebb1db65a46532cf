"""How rows are to be put aside, as forms, the API and uploads in chunks say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS = {
    "random": "At random",
    "stratified": "At random, in proportion to a column",
    "group": "Whole groups of a column",
    "time": "The latest by a column",
}
DEFAULT_RATIO = 0.2


def seal_in(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read what was chosen as `engine.spec.Seal` takes it; None without a method.

    Args:
        values: `seal_method`, `seal_ratio`, `seal_column` and `seal_seed`, as numbers
            or as text; what is missing or empty has its default.

    Raises:
        Invalid: a number is none.
    """
    if not values.get("seal_method"):
        return None
    return {
        "method": values["seal_method"],
        "ratio": _number(values, "seal_ratio", DEFAULT_RATIO, float),
        "column": values.get("seal_column") or None,
        "seed": _number(values, "seal_seed", 0, int),
    }


def _number(
    values: Mapping[str, Any], name: str, default: float, kind: type[float] | type[int]
) -> float:
    given = values.get(name)
    if given in (None, ""):
        return default
    try:
        return kind(given)
    except ValueError as error:
        sentence = f"{name} must be a number."
        raise Invalid(sentence, fields={name: sentence}) from error
