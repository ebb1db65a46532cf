"""The decision in one look: what a validation report says, fit to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core import figures
from apps.core.figures import Axes, Caption, Figure, Interval
from apps.core.status import Kind
from apps.validation.criteria import requirement, title_of
from apps.validation.models import Verdict

if TYPE_CHECKING:
    from apps.validation.models import ValidationReport

KINDS = {
    Verdict.PASS: Kind.SUCCESS,
    Verdict.WARN: Kind.WARNING,
    Verdict.FAIL: Kind.ERROR,
    Verdict.NOT_TESTED: Kind.WARNING,
}
_STATES = {
    Verdict.PASS: "passed",
    Verdict.WARN: "pending",
    Verdict.FAIL: "failed",
    Verdict.NOT_TESTED: "not_tested",
}
MEASURES_SHOWN = 2


def key_figures(report: ValidationReport) -> list[dict[str, Any]]:
    """Give verdict, mission cost and leading measures for `key_figures.html`."""
    mission = report.result.get("mission")
    return [
        _verdict(report),
        *(_mission(mission, report.cost_unit) if mission else []),
        *[_measure(found) for found in _leading(report)],
    ]


def _verdict(report: ValidationReport) -> dict[str, Any]:
    checks = report.result["checks"]
    held = sum(check["verdict"] == Verdict.PASS for check in checks)
    return {
        "label": "Validation verdict",
        "value": report.get_verdict_display(),
        "detail": f"{held} of {len(checks)} criteria hold",
        "kind": KINDS[Verdict(report.verdict)],
    }


def _mission(mission: dict[str, Any], unit: str) -> list[dict[str, Any]]:
    cost, today = mission["cost_per_1000"], mission["baseline_per_1000"]
    compared = mission["do_nothing_per_1000"] if today is None else today
    than = "doing nothing" if today is None else "today"
    shown = [
        {
            "label": "Mission cost per 1,000 cases",
            "value": f"{cost:,.0f} {unit}",
            "detail": f"95 % interval {mission['low']:,.0f} to {mission['high']:,.0f}",
            "kind": Kind.INFO,
        }
    ]
    if compared:
        saved = 1 - cost / compared
        shown.append(
            {
                "label": f"Against {than}",
                "value": f"{abs(saved):.0%} {'less' if saved >= 0 else 'more'}",
                "detail": f"{compared:,.0f} {unit} per 1,000 cases",
                "kind": Kind.SUCCESS if saved > 0 else Kind.ERROR,
            }
        )
    return shown


def _leading(report: ValidationReport) -> list[dict[str, Any]]:
    """Pick measures: first those of the criteria, then those measured first."""
    wanted = [check["measure"] for check in report.result["checks"]]
    found = {
        measure["measure"]: measure
        for measure in report.result["measures"]
        if measure["value"] is not None and measure["unit"] != "cost"
    }
    order = [*(slug for slug in wanted if slug in found), *found]
    return [found[slug] for slug in dict.fromkeys(order)][:MEASURES_SHOWN]


def _measure(measure: dict[str, Any]) -> dict[str, Any]:
    low, high = measure["low"], measure["high"]
    interval = "no interval" if low is None else f"{low:,.3g} to {high:,.3g}"
    return {
        "label": measure["title"],
        "value": f"{measure['value']:,.3g}",
        "detail": interval,
    }


def picture(report: ValidationReport) -> Figure:
    """Draw the mission's costs side by side, or the measures where none are known."""
    mission = report.result.get("mission")
    return _costs(mission, report.cost_unit) if mission else _intervals(report)


def _costs(mission: dict[str, Any], unit: str) -> Figure:
    named = {
        "This version": mission["cost_per_1000"],
        "Today": mission["baseline_per_1000"],
        "Flag every case": mission["flag_everything_per_1000"],
        "Do nothing": mission["do_nothing_per_1000"],
    }
    known = {name: cost for name, cost in named.items() if cost is not None}
    cheapest = min(known, key=lambda name: known[name])
    return figures.bars(
        Caption(
            "mission-costs",
            "What 1,000 cases cost the mission",
            f"False alarms and misses together, in {unit or 'the mission’s unit'}. "
            f"The lowest cost: {cheapest.lower()}.",
        ),
        list(known),
        list(known.values()),
        Axes(f"Cost per 1,000 cases ({unit})" if unit else "Cost", "Way of working"),
    )


def _intervals(report: ValidationReport) -> Figure:
    rows = [
        Interval(found["title"], found["value"], found["low"], found["high"])
        for found in report.result["measures"]
        if None not in (found["value"], found["low"], found["high"])
        and found["unit"] == "ratio"
    ]
    return figures.intervals(
        Caption("measures", "Measures", "With 95 % intervals, on held-out data."),
        rows,
        Axes("Value", "Measure"),
    )


def checks(report: ValidationReport) -> list[dict[str, Any]]:
    """List the criteria with what was measured, for `check_table.html`."""
    return [
        {
            "name": check["title"],
            "verdict": _STATES[Verdict(check["verdict"])],
            "measured": check["value"],
            "required": requirement(check),
            "detail": check["reason"] or ("" if check["blocking"] else "Should hold"),
        }
        for check in report.result["checks"]
    ]


def comparison(report: ValidationReport) -> list[dict[str, Any]]:
    """List how each measure differs from the champion's; empty without a champion."""
    found = report.result.get("champion")
    if not found:
        return []
    return [
        {**measure, "title": title_of(measure["measure"])}
        for measure in found["measures"]
    ]
