"""Turn parsed JSON into frozen dataclasses, checking every field on the way."""

import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Ranges = Mapping[str, tuple[float, float | None]]


class SpecError(ValueError):
    """A field holds what it may not hold.

    Attributes:
        field: path of the field, such as `criteria[2].threshold`.
        problem: what is wrong and how to fix it, for the person who filled it in.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def require(holds: bool, field: str, problem: str) -> None:
    """Raise `SpecError` for `field` unless `holds`."""
    if not holds:
        raise SpecError(field, problem)


def require_between(value: float, low: float, high: float, field: str) -> None:
    """Raise `SpecError` for `field` unless `value` lies in `low`..`high`."""
    problem = f"must lie between {low:g} and {high:g}."
    require(low <= value <= high, field, problem)


def require_ranges(spec: Any) -> None:
    """Raise `SpecError` for a field outside its range in `spec.RANGES`.

    A range is lowest and highest value, both included; `None` is no limit, and a value
    of `None` is in every range. The published schema says the same.
    """
    for field, (low, high) in spec.RANGES.items():
        value = getattr(spec, field)
        if value is None:
            continue
        if high is None:
            require(value >= low, field, f"must be at least {low:g}.")
        else:
            require_between(value, low, high, field)


def decode(kind: Any, value: Any, where: str = "spec") -> Any:
    """Check `value` against the type `kind` and return it in that type.

    Args:
        kind: a dataclass, scalar type, `Literal`, union, `tuple[X, ...]`
            or `dict[str, X]`.
        value: what `json.loads` gave.
        where: path of the value, used in the error.

    Raises:
        SpecError: the value, or one inside it, does not fit.
    """
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _union(get_args(kind), value, where)
    if origin is Literal:
        names = ", ".join(map(repr, get_args(kind)))
        require(value in get_args(kind), where, f"must be one of {names}.")
        return value
    if origin is tuple:
        require(isinstance(value, (list, tuple)), where, "must be a list.")
        item = get_args(kind)[0]
        return tuple(decode(item, v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is dict:
        require(isinstance(value, dict), where, "must be an object.")
        item = get_args(kind)[1]
        return {str(k): decode(item, v, f"{where}.{k}") for k, v in value.items()}
    return _scalar(kind, value, where)


def _dataclass(kind: Any, value: Any, where: str) -> Any:
    require(isinstance(value, dict), where, "must be an object.")
    hints = get_type_hints(kind)
    known = [field.name for field in fields(kind)]
    inside = "" if where == "spec" else f"{where}."
    for key in value:
        require(key in known, f"{inside}{key}", "is not a known field; remove it.")
    for field in fields(kind):
        optional = not (field.default is MISSING and field.default_factory is MISSING)
        given = optional or field.name in value
        require(given, f"{inside}{field.name}", "is missing; give it.")
    found = {k: decode(hints[k], v, f"{inside}{k}") for k, v in value.items()}
    try:
        return kind(**found)
    except SpecError as error:
        raise SpecError(f"{inside}{error.field}", error.problem) from None


def _union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    problems = []
    for kind in kinds:
        if kind is not type(None):
            try:
                return decode(kind, value, where)
            except SpecError as error:
                problems.append(error)
    raise problems[0]


_SCALARS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def _scalar(kind: Any, value: Any, where: str) -> Any:
    fits = type(value) is kind or (kind is float and type(value) is int)
    require(fits, where, f"must be {_SCALARS[kind]}.")
    if kind is float:
        # Whole numbers can be too large for a float, too.
        is_finite = abs(value) <= sys.float_info.max
        require(is_finite, where, "must be a finite number.")
        return float(value)
    return value
