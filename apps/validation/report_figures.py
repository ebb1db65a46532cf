"""The figures of a finished report, from the numbers the engine left in it."""

from collections.abc import Iterator
from typing import Any

from apps.core import figures
from apps.core.figures import Axes, Caption, Figure, Interval, Line
from apps.validation.reading import Json, Measured, interval_name, measure_title, said
from engine.spec import MEASURES

# What the groups are drawn by, where the engine measured it; the rest is in a table.
DRAWN_BY_GROUP = ("recall", "false_positive_rate", "accuracy", "mae")


def cost_comparison(report: Measured) -> Figure | None:
    """Draw what 1,000 cases cost with this model and in other ways."""
    mission = report.result.get("mission")
    if not mission:
        return None
    ways = {
        "This model": mission["cost_per_1000"],
        "The champion": _champion_cost(report),
        "Today": mission["baseline_per_1000"],
        "Flagging nothing": mission["do_nothing_per_1000"],
        "Flagging everything": mission["flag_everything_per_1000"],
    }
    known = {name: cost for name, cost in ways.items() if cost is not None}
    cheapest = min(known, key=lambda name: known[name])
    return figures.bars(
        Caption(
            "cost-comparison",
            "What 1,000 cases cost",
            f"{cheapest} costs the least: {said(known[cheapest])} {report.cost_unit}.",
        ),
        list(known),
        list(known.values()),
        Axes(f"Cost of errors per 1,000 cases ({report.cost_unit})", "Way of working"),
    )


def _champion_cost(report: Measured) -> float | None:
    compared = report.result.get("champion") or {"measures": []}
    costs = {row["measure"]: row["champion_value"] for row in compared["measures"]}
    return costs.get("mission_cost_per_1000")


def cost_curve(report: Measured) -> Figure | None:
    """Draw the cost over all thresholds, with the chosen one."""
    points = (report.result.get("curves") or {}).get("cost")
    if not points:
        return None
    mission, chosen = report.result["mission"], report.result["threshold"]
    costs = [point["cost_per_1000"] for point in points]
    lines = [Line("Model", [point["threshold"] for point in points], costs)]
    if mission["baseline_per_1000"] is not None:
        lines.append(Line("Today", [0.0, 1.0], [mission["baseline_per_1000"]] * 2))
    summary = (
        f"Flagging from a probability of {said(chosen)} costs "
        f"{said(mission['cost_per_1000'])} {report.cost_unit}; on these rows "
        f"{said(mission['best_threshold'])} would have cost the least."
    )
    return figures.curve(
        Caption("cost-curve", "Cost by threshold", summary),
        lines,
        Axes("Threshold", f"Cost per 1,000 cases ({report.cost_unit})"),
        reference=Line("Chosen threshold", [chosen, chosen], [0.0, max(costs)]),
    )


def quality(report: Measured) -> list[Figure]:
    """Draw ranking, errors and calibration, as far as they apply to the task."""
    curves = report.result.get("curves") or {}
    drawn = [
        _confusion(report),
        _roc(report, curves.get("roc")),
        _precision_recall(report, curves.get("precision_recall")),
        _calibration(report, curves.get("calibration")),
    ]
    return [figure for figure in drawn if figure is not None]


def _measure(report: Measured, slug: str) -> float | None:
    found = {row["measure"]: row["value"] for row in report.result["measures"]}
    return found.get(slug)


def _confusion(report: Measured) -> Figure | None:
    confusion = report.result.get("confusion")
    if not confusion:
        return None
    matrix = confusion["matrix"]
    right = sum(row[place] for place, row in enumerate(matrix))
    total = sum(map(sum, matrix))
    summary = f"{said(right)} of {said(total)} rows are answered correctly."
    if report.result.get("positives") is not None:
        (_, alarms), (missed, found) = matrix
        summary = (
            f"{said(found)} of {said(found + missed)} positive rows are found, with "
            f"{said(alarms)} false alarms."
        )
    return figures.heatmap(
        Caption("confusion", "Answers against the truth", summary),
        confusion["labels"],
        matrix,
        Axes("Predicted", "Actual"),
    )


def _roc(report: Measured, points: list[list[float]] | None) -> Figure | None:
    if not points:
        return None
    area = said(_measure(report, "roc_auc"))
    return figures.curve(
        Caption("roc", "ROC curve", f"The area under it is {area}; chance is 0.5."),
        [_line(points)],
        Axes("False alarm rate", "Recall"),
        reference=Line("Chance", [0.0, 1.0], [0.0, 1.0]),
    )


def _precision_recall(
    report: Measured, points: list[list[float]] | None
) -> Figure | None:
    if not points:
        return None
    chance = report.result["positives"] / report.result["rows"]
    average = said(_measure(report, "average_precision"))
    summary = (
        f"Average precision is {average}; flagging at random gives {said(chance)}."
    )
    return figures.curve(
        Caption("precision-recall", "Precision over recall", summary),
        [_line(points)],
        Axes("Recall", "Precision"),
        reference=Line("Chance", [0.0, 1.0], [chance, chance]),
    )


def _line(points: list[list[float]]) -> Line:
    return Line("Model", [x for x, _ in points], [y for _, y in points])


def _calibration(report: Measured, bins: list[Json] | None) -> Figure | None:
    if not bins:
        return None
    gap = said(_measure(report, "calibration_error"))
    return figures.calibration(
        Caption(
            "calibration",
            "Calibration",
            f"Stated probability and observed frequency differ by {gap} on average.",
        ),
        [part["mean_predicted"] for part in bins],
        [part["fraction_positive"] for part in bins],
        [part["count"] for part in bins],
    )


def subgroups(report: Measured) -> list[Figure]:
    """Draw the main measures of each group of each column, with intervals."""
    return [
        figure
        for place, part in enumerate(report.result["subgroups"])
        for slug in DRAWN_BY_GROUP
        if (figure := _groups(report, f"groups-{place}-{slug}", part, slug))
    ]


def _groups(report: Measured, name: str, part: Json, slug: str) -> Figure | None:
    rows = list(_group_intervals(part["groups"], slug))
    if not rows:
        return None
    title, sign = measure_title(slug), 1 if is_higher_better(slug) else -1
    sound = [group for group in part["groups"] if not group["small"]]
    spoken_of = list(_group_intervals(sound, slug)) or rows
    worst = min(spoken_of, key=lambda row: sign * row.value)
    summary = f"{worst.group} is served worst: {said(worst.value)}."
    return figures.intervals(
        Caption(name, f"{title} by {part['column']}", summary),
        rows,
        Axes(f"{title} ({interval_name(report)})", part["column"]),
        reference=overall(report, slug),
    )


def _group_intervals(groups: list[Json], slug: str) -> Iterator[Interval]:
    for group in groups:
        found: dict[str, Any] = group["measures"].get(slug, {})
        if None not in (found.get("value"), found.get("low"), found.get("high")):
            label = f"{group['group']} ({group['rows']:,} rows)"
            yield Interval(label, found["value"], found["low"], found["high"])


def is_higher_better(slug: str) -> bool:
    """Say whether more of a group's measure is better for it."""
    return slug in MEASURES and MEASURES[slug].better == "higher"


def overall(report: Measured, slug: str) -> float | None:
    """Return a measure of the groups over all rows, where it was measured."""
    if slug == "false_positive_rate":
        specificity = _measure(report, "specificity")
        return None if specificity is None else 1 - specificity
    return _measure(report, slug)


def importance(report: Measured) -> Figure | None:
    """Draw how much worse the model gets when a feature says nothing."""
    found = report.result.get("importance")
    if not found:
        return None
    return figures.bars(
        Caption(
            "importance",
            "What the model looks at",
            f"It leans most on {found[0]['feature']}.",
        ),
        [row["feature"] for row in found],
        [row["mean"] for row in found],
        Axes("Quality lost when the feature is shuffled", "Feature"),
    )
