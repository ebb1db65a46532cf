"""How differently groups are treated."""

import math
from collections.abc import Sequence

from engine.evaluation.shape import Family, NotTested, figure, table
from engine.evaluation.subject import Subject
from engine.folder import Json
from engine.spec import Task

_DIFFERENCES: dict[Task, dict[str, str]] = {
    "binary": {
        "selection_rate_difference": "selection_rate",
        "recall_difference": "recall",
        "false_alarm_difference": "false_positive_rate",
        "accuracy_difference": "accuracy",
    },
    "multiclass": {"accuracy_difference": "accuracy"},
    "regression": {"mae_difference": "mae"},
}
RATIO = "selection_rate_ratio"


def compute(subject: Subject) -> Family:
    """Compare the extremes of groups large enough, the worst column deciding.

    Source:
        The four-fifths rule: 29 CFR 1607.4(D), Uniform guidelines on employee
        selection procedures (1978).
    """
    if not subject.subgroups:
        raise NotTested("The plan names no column to tell groups apart by.")
    smallest = subject.spec.min_group_size
    rows, small = [], 0
    for entry in subject.subgroups:
        groups = [group for group in entry["groups"] if not group["small"]]
        small += len(entry["groups"]) - len(groups)
        if len(groups) > 1:
            rows += _column(entry["column"], groups, subject.spec.task)
    if not rows:
        raise NotTested(f"No column has two groups of at least {smallest} rows.")
    return Family(
        "fairness",
        _summary(small, smallest),
        figures=[
            figure(slug, _worst(slug, rows))
            for slug in dict.fromkeys(r[1] for r in rows)
        ],
        tables=[
            table(
                "Extremes of groups by column",
                ("Column", "Figure", "Value", "Lowest group", "Highest group"),
                [
                    [column, figure(slug, value).title, value, low, high]
                    for column, slug, value, low, high in rows
                ],
            )
        ],
    )


_Row = tuple[str, str, float, str, str]


def _column(column: str, groups: Sequence[Json], task: Task) -> list[_Row]:
    rows: list[_Row] = []
    for slug, measure in _DIFFERENCES[task].items():
        known = _known(groups, measure)
        if len(known) < 2:  # noqa: PLR2004  # two groups can differ
            continue
        (low, least), (high, most) = known[0], known[-1]
        rows.append((column, slug, most - least, low, high))
        if measure == "selection_rate" and most > 0:
            rows.append((column, RATIO, least / most, low, high))
    return rows


def _known(groups: Sequence[Json], measure: str) -> list[tuple[str, float]]:
    """Return groups with a value of the measure, from the lowest to the highest."""
    values = [(group["group"], _value(group, measure)) for group in groups]
    return sorted(
        ((name, value) for name, value in values if not math.isnan(value)),
        key=lambda pair: pair[1],
    )


def _value(group: Json, measure: str) -> float:
    """Return a measure of a group; a binary accuracy is put together from counts."""
    measures = group["measures"]
    if measure in measures:
        return float(measures[measure]["value"])
    positives, rows = group["positives"], group["rows"]
    right = 0.0
    if positives:
        right += positives * measures["recall"]["value"]
    if positives < rows:
        alarms = measures["false_positive_rate"]["value"]
        right += (rows - positives) * (1 - alarms)
    return float(right / rows)


def _worst(slug: str, rows: Sequence[_Row]) -> float:
    values = [value for _, found, value, _, _ in rows if found == slug]
    return min(values) if slug == RATIO else max(values)


def _summary(small: int, smallest: int) -> str:
    said = "Each figure is the worst one over the columns of the plan."
    if not small:
        return said
    groups = "1 group has" if small == 1 else f"{small} groups have"
    return f"{said} {groups} fewer than {smallest} rows and count nothing here."
