"""What a finished report says, in the words and numbers of its first screen."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from apps.core.status import Kind
from apps.core.templatetags.portal import number, ratio
from apps.validation.criteria import requirement, title_of
from apps.validation.models import KIND_OF_VERDICT, Rows, ValidationReport, Verdict
from engine.spec import MEASURES

Json = Mapping[str, Any]
_ROWS_MEASURED: dict[str, str] = {
    Rows.HELD_OUT: "Held-out rows",
    Rows.SEALED: "Sealed rows",
}
GROUP_TITLES = {
    "false_positive_rate": "False alarm rate",
    "selection_rate": "Share flagged",
}


class Measured(Protocol):
    """What has been measured and judged: a finished report, or its document."""

    @property
    def result(self) -> Any: ...

    @property
    def spec(self) -> Any: ...

    @property
    def cost_unit(self) -> str: ...

    @property
    def verdict(self) -> str: ...

    @property
    def evaluated_on(self) -> str: ...


def measure_title(slug: str) -> str:
    """Name a measure of the report, of whole or groups."""
    return GROUP_TITLES.get(slug) or title_of(slug)


def said(value: object) -> str:
    """Write a measured value; what could not be measured is a dash."""
    return "–" if value is None else str(number(value, 3))


def span(low: float | None, high: float | None) -> str:
    """Write an interval: "0.63 to 0.77"; empty when there is none."""
    return "" if low is None or high is None else f"{said(low)} to {said(high)}"


def banner(report: Measured) -> dict[str, Any]:
    """Say the verdict: `title`, `kind`, `sentence` with the reason, `notes`."""
    checks = report.result["checks"]
    verdict = Verdict(report.verdict)
    return {
        "title": verdict.label,
        "kind": KIND_OF_VERDICT[verdict],
        "sentence": _sentence(
            verdict, [check for check in checks if check["blocking"]]
        ),
        "notes": _notes(checks),
    }


def _sentence(verdict: Verdict, blocking: list[Json]) -> str:
    if verdict == Verdict.PASS:
        return f"{_counted(len(blocking))} that must hold {_is(len(blocking))} met."
    decisive = [check for check in blocking if check["verdict"] == verdict]
    what = "missed" if verdict == Verdict.FAIL else "not tested"
    reasons = "; ".join(_reason(check) for check in decisive)
    count = f"{len(decisive)} of {_counted(len(blocking))}"
    return f"{count} that must hold {_is(len(decisive))} {what}: {reasons}."


def _reason(check: Json) -> str:
    if check["verdict"] == Verdict.NOT_TESTED:
        return f"{check['title']} ({check['reason'].rstrip('.')})"
    required = requirement(check)
    return f"{check['title']} is {said(check['value'])}, required is {required}"


def _notes(checks: list[Json]) -> list[str]:
    wished = [check for check in checks if not check["blocking"]]
    missed = sum(check["verdict"] == Verdict.WARN for check in wished)
    untested = sum(check["verdict"] == Verdict.NOT_TESTED for check in wished)
    close = sum(is_close(check) for check in checks)
    notes = [
        (missed, "that should hold", "missed"),
        (untested, "that should hold", "not tested"),
        (close, "met", "close: its interval reaches past the requirement"),
    ]
    return [f"{_counted(n)} {which} {_is(n)} {how}." for n, which, how in notes if n]


def _counted(count: int) -> str:
    return "1 criterion" if count == 1 else f"{count} criteria"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def is_close(check: Json) -> bool:
    """Say whether a check is met although its interval reaches past the requirement.

    Another sample of the same size could have missed it.
    """
    if check["verdict"] != Verdict.PASS or check["low"] is None:
        return False
    if check["operator"] == ">=":
        return bool(check["low"] < check["threshold"])
    return bool(check["high"] > check["threshold"])


def check_rows(report: Measured) -> list[dict[str, Any]]:
    """List the checks as the table shows them, those that must hold first."""
    checks = sorted(report.result["checks"], key=lambda check: not check["blocking"])
    return [_check_row(check) for check in checks]


def _check_row(check: Json) -> dict[str, Any]:
    verdict = Verdict(check["verdict"])
    note = check["reason"] if verdict == Verdict.NOT_TESTED else ""
    if is_close(check):
        note = "Close: the interval reaches past the requirement."
    return {
        "title": check["title"],
        "duty": "Must hold" if check["blocking"] else "Should hold",
        "value": said(check["value"]),
        "interval": span(check["low"], check["high"]) or "–",
        "required": requirement(check),
        "verdict": verdict.label,
        "kind": KIND_OF_VERDICT[verdict],
        "note": note,
    }


def key_figures(report: Measured) -> list[dict[str, Any]]:
    """List the numbers that a decision hangs on, the mission's before the metric's."""
    mission = report.result.get("mission")
    figures = _mission_figures(report, mission) if mission else _measured(report)
    positives = report.result.get("positives")
    rows = {
        "label": _ROWS_MEASURED[report.evaluated_on],
        "value": said(report.result["rows"]),
    }
    if positives is not None:
        rows["detail"] = f"{said(positives)} of them positive"
    return [*figures, rows]


def _mission_figures(report: Measured, mission: Json) -> list[dict[str, Any]]:
    unit = report.cost_unit
    interval = span(mission["low"], mission["high"])
    figures = [
        {
            "label": f"Cost of errors per 1,000 cases, {unit}",
            "value": said(mission["cost_per_1000"]),
            "detail": f"{interval}, {interval_name(report)}" if interval else "",
            "kind": Kind.INFO,
        },
        _against("Against flagging nothing", mission, "do_nothing_per_1000", unit),
    ]
    if mission["baseline_per_1000"] is not None:
        figures.append(_against("Against today", mission, "baseline_per_1000", unit))
    return figures


def _against(label: str, mission: Json, key: str, unit: str) -> dict[str, Any]:
    other, cost, high = mission[key], mission["cost_per_1000"], mission["high"]
    kind = Kind.WARNING
    if cost >= other:
        kind = Kind.ERROR
    elif high is not None and high < other:
        kind = Kind.SUCCESS
    return {
        "label": label,
        "value": less_or_more(cost, other),
        "detail": f"that costs {said(other)} {unit}",
        "kind": kind,
    }


def less_or_more(cost: float, other: float) -> str:
    """Compare a cost with another one: "55 % less"."""
    if other == 0:
        return "–"
    change = cost / other - 1
    word = "less" if change < 0 else "more"
    return f"{ratio(abs(change), 0)} {word}"


def measure_rows(report: Measured) -> list[dict[str, Any]]:
    """List everything that was measured on all held-out rows."""
    return [
        {
            "title": measure["title"],
            "value": said(measure["value"]),
            "interval": span(measure["low"], measure["high"]) or "–",
        }
        for measure in report.result["measures"]
    ]


def _measured(report: Measured) -> list[dict[str, Any]]:
    return [
        {
            "label": measure["title"],
            "value": said(measure["value"]),
            "detail": span(measure["low"], measure["high"]),
            "kind": Kind.INFO,
        }
        for measure in report.result["measures"][:3]
    ]


def interval_name(report: Measured) -> str:
    """Name the intervals of the report: "95 % interval"."""
    return f"{ratio(report.spec['confidence'], 0)} interval"


def champion_rows(report: Measured) -> list[dict[str, Any]]:
    """Compare each measure with the champion's; empty without one."""
    compared = report.result.get("champion") or {"measures": []}
    return [
        {
            "title": measure_title(row["measure"]),
            "value": said(row["value"]),
            "champion_value": said(row["champion_value"]),
            "difference": said(row["difference"]),
            "interval": span(row["low"], row["high"]) or "–",
            **_reading(row),
        }
        for row in compared["measures"]
    ]


def champion_summary(rows: Sequence[Json]) -> str:
    """Count in a sentence what is better and worse than the champion's.

    Args:
        rows: of `champion_rows`.
    """
    clear = [[row["title"] for row in rows if row["kind"] == kind] for kind in _CLEAR]
    parts = [
        f"clearly {word} in {len(titles)} ({', '.join(titles)})"
        for word, titles in zip(("better", "worse"), clear, strict=True)
        if titles
    ]
    of = "1 measure" if len(rows) == 1 else f"{len(rows)} measures"
    if not parts:
        return f"None of {of} differs clearly."
    return f"Of {of}, this version is {' and '.join(parts)}."


_CLEAR = (Kind.SUCCESS, Kind.ERROR)


def _reading(row: Json) -> dict[str, Any]:
    unclear = {"reading": "No clear difference", "kind": Kind.NEUTRAL}
    low, high = row["low"], row["high"]
    if low is None or high is None or low <= 0 <= high:
        return unclear
    if (low > 0) == (MEASURES[row["measure"]].better == "higher"):
        return {"reading": "Better", "kind": Kind.SUCCESS}
    return {"reading": "Worse", "kind": Kind.ERROR}


def champion_saw_other_rows(report: ValidationReport) -> bool:
    """Say whether the champion may have learned from the rows it is measured on."""
    if report.champion is None:
        return False
    ours, theirs = report.version, report.champion
    return (ours.data, ours.summary.get("split_digest")) != (
        theirs.data,
        theirs.summary.get("split_digest"),
    )


def group_tables(report: Measured) -> list[dict[str, Any]]:
    """List every group of every column with all of its measures."""
    return [
        {
            "column": part["column"],
            "measures": [measure_title(slug) for slug in part["groups"][0]["measures"]],
            "small_count": sum(group["small"] for group in part["groups"]),
            "rows": [_group_row(group) for group in part["groups"]],
        }
        for part in report.result["subgroups"]
        if part["groups"]
    ]


def _group_row(group: Json) -> dict[str, Any]:
    return {
        "group": group["group"],
        "rows": group["rows"],
        "is_small": group["small"],
        "cells": [
            {
                "value": said(measure["value"]),
                "interval": span(measure["low"], measure["high"]),
            }
            for measure in group["measures"].values()
        ],
    }
