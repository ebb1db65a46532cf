"""Hold measures against the criteria that were written before."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from engine.folder import Json
from engine.intervals import Interval
from engine.spec import MEASURES, Criterion, Task

Verdict = Literal["pass", "fail", "warn", "not_tested"]


def check(
    criterion: Criterion,
    task: Task,
    values: Mapping[str, float],
    intervals: Mapping[str, Interval],
) -> Json:
    """Judge one criterion by the measured value; the interval is shown beside it.

    A missed criterion that does not block is a `warn`; what could not be measured is
    `not_tested`, with the reason.
    """
    slug = criterion.measure
    value = values.get(slug, math.nan)
    low, high = intervals.get(slug, (math.nan, math.nan))
    verdict: Verdict = "not_tested"
    reason = _not_tested(slug, task, values)
    if not reason:
        holds = value >= criterion.threshold
        if criterion.operator == "<=":
            holds = value <= criterion.threshold
        verdict = "pass" if holds else "fail" if criterion.blocking else "warn"
        relation = "meets" if holds else "misses"
        wanted = f"{criterion.operator} {criterion.threshold:g}"
        reason = f"{MEASURES[slug].title} is {value:.4g}, which {relation} {wanted}."
    return {
        "measure": slug,
        "title": MEASURES[slug].title if slug in MEASURES else slug,
        "operator": criterion.operator,
        "threshold": criterion.threshold,
        "blocking": criterion.blocking,
        "value": value,
        "low": low,
        "high": high,
        "verdict": verdict,
        "reason": reason,
    }


def overall(checks: Sequence[Json]) -> Verdict:
    """Sum up: a blocking failure fails; a blocking gap, or no check, is not tested."""
    blocking = [found["verdict"] for found in checks if found["blocking"]]
    if "fail" in blocking:
        return "fail"
    if "not_tested" in blocking or not checks:
        return "not_tested"
    return "pass"


def _not_tested(slug: str, task: Task, values: Mapping[str, float]) -> str:
    if slug not in MEASURES:
        return f"{slug} is not a measure of this engine."
    measure = MEASURES[slug]
    if task not in measure.tasks:
        return f"{measure.title} does not apply to a {task} target."
    if slug not in values:
        return f"{measure.title} needs the cost of errors, which was not given."
    if not math.isfinite(values[slug]):
        return f"{measure.title} cannot be computed from these rows and predictions."
    return ""
