"""The decision brief: one page in plain language from the document of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core.templatetags.portal import number, ratio
from apps.validation.criteria import requirement
from apps.validation.models import KIND_OF_VERDICT, Rows, Verdict
from apps.validation.reading import (
    banner,
    interval_name,
    less_or_more,
    measure_title,
    said,
    span,
)
from apps.validation.report_figures import (
    DRAWN_BY_GROUP,
    is_higher_better,
    overall,
)
from engine.spec import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.validation.around import Around
    from apps.validation.document import Told
    from apps.validation.reading import Measured

Json = dict[str, Any]

# So much of each fits on one page, whatever the report holds.
MOST_CRITERIA, MOST_WEAK, MOST_GROUPS = 5, 2, 3
MOST_UNTESTED, MOST_FINDINGS = 4, 3
MOST_PURPOSE, MOST_REASON, MOST_NAME = 300, 80, 36


def brief(told: Told, around: Around) -> Json:
    """Say on one page what a decision needs.

    Args:
        told: the document of the report.
        around: purpose, names and findings, as of its moment.

    Returns:
        Plain texts in the order of the page; every list is short and says what it
        leaves out.
    """
    verdict = Verdict(told.verdict)
    return {
        "title": told.title,
        "report": told.report_title,
        "project": clip(around.project, MOST_NAME * 2),
        "verdict": verdict.label,
        "kind": KIND_OF_VERDICT[verdict],
        "sentence": _sentence(told),
        "purpose": clip(around.purpose, MOST_PURPOSE),
        "answers": _answers(told),
        "worth": list(_worth(told)),
        **_criteria(told),
        "fails": _fails(told),
        **_untested(told),
        **_findings(around),
        "facts": _facts(told, around),
        "digest": told.digest,
        "as_of": moment(around),
    }


def weak_points(report: Measured) -> Json:
    """Say whom a model serves worst and what nobody tested, as the brief does.

    Returns:
        `answers`: what it predicts; `fails`: sentences; `untested`: each with `title`
        and `reason`; `untested_more`: how many more there are, or nothing.
    """
    return {
        "answers": _answers(report),
        "fails": _fails(report),
        **_untested(report),
    }


def clip(text: str, most: int) -> str:
    """Cut a text of people to `most` signs on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def moment(around: Around) -> str:
    """Say when it was looked around."""
    return f"{around.at:%-d %B %Y, %H:%M} UTC"


def _checks(told: Measured, *, blocking: bool) -> list[Json]:
    return [one for one in told.result["checks"] if one["blocking"] == blocking]


def _sentence(told: Told) -> str:
    must = _checks(told, blocking=True)
    counts = {v: sum(one["verdict"] == v for one in must) for v in Verdict}
    if told.verdict == Verdict.PASS:
        return str(banner(told)["sentence"])
    parts = [
        f"{counts[verdict]} {word}"
        for verdict, word in (
            (Verdict.FAIL, "missed"),
            (Verdict.NOT_TESTED, "not tested"),
            (Verdict.PASS, "met"),
        )
        if counts[verdict]
    ]
    criteria = "1 criterion" if len(must) == 1 else f"{len(must)} criteria"
    return f"Of {criteria} that must hold: {', '.join(parts)}."


def _answers(told: Measured) -> str:
    spec = told.spec
    target = clip(spec["target"], MOST_NAME)
    if spec.get("positive_label") is None:
        return f"It predicts {target}."
    label = clip(spec["positive_label"], MOST_NAME)
    cut = told.result.get("threshold")
    since = f" from a probability of {said(cut)}" if cut is not None else ""
    return f"It flags a case{since} as “{label}” in {target}."


def _worth(told: Told) -> Iterator[str]:
    mission = told.result.get("mission")
    if not mission:
        yield "No cost of errors was stated, so its worth was not computed."
        for one in told.result["measures"][:MOST_GROUPS]:
            between = span(one["low"], one["high"])
            yield f"{one['title']}: {said(one['value'])}" + (
                f" ({between})." if between else "."
            )
        return
    unit, cost = told.cost_unit, mission["cost_per_1000"]
    between = span(mission["low"], mission["high"])
    yield f"Its errors cost {said(cost)} {unit} per 1,000 cases" + (
        f" ({interval_name(told)} {between})." if between else "."
    )
    for key, way in (
        ("baseline_per_1000", "working as today"),
        ("do_nothing_per_1000", "flagging nothing"),
        ("flag_everything_per_1000", "flagging everything"),
    ):
        other = mission.get(key)
        if other:
            much = less_or_more(cost, other)
            yield f"That is {much} than {way} ({said(other)} {unit})."


def _criteria(told: Told) -> Json:
    weight = [Verdict.FAIL, Verdict.NOT_TESTED, Verdict.WARN, Verdict.PASS]
    must = sorted(
        _checks(told, blocking=True), key=lambda one: weight.index(one["verdict"])
    )
    shown = [
        {
            "title": one["title"],
            "value": said(one["value"]),
            "interval": span(one["low"], one["high"]),
            "required": requirement(one),
            "verdict": Verdict(one["verdict"]).label,
            "kind": KIND_OF_VERDICT[one["verdict"]],
        }
        for one in must[:MOST_CRITERIA]
    ]
    return {"criteria": shown, "criteria_more": _more(must, MOST_CRITERIA)}


def _more(found: list[Any], most: int) -> str:
    rest = len(found) - most
    return f"{rest} more in the full report." if rest > 0 else ""


def _fails(told: Measured) -> list[str]:
    """Name what should hold and does not, then whom the model serves worst."""
    missed = [
        one for one in _checks(told, blocking=False) if one["verdict"] == Verdict.WARN
    ]
    weak = [
        f"Should hold, but is missed: {one['title']} is {said(one['value'])}, wanted "
        f"is {requirement(one)}."
        for one in missed[:MOST_WEAK]
    ]
    if more := _more(missed, MOST_WEAK):
        weak.append(f"Missed of what should hold: {more}")
    return weak + [_group(one) for one in worst_groups(told)[:MOST_GROUPS]]


def worst_groups(told: Measured) -> list[Json]:
    """List the group that is served worst by each column, the furthest behind first.

    Groups that are too small to tell are not named.
    """
    found = [
        max(behind, key=lambda one: one["gap"])
        for part in told.result["subgroups"]
        if (behind := list(_behind(told, part)))
    ]
    return sorted(found, key=lambda one: -one["gap"])


def _behind(told: Measured, part: Json) -> Iterator[Json]:
    for slug in DRAWN_BY_GROUP:
        whole = overall(told, slug)
        sign = 1 if is_higher_better(slug) else -1
        for group in part["groups"]:
            value = (group["measures"].get(slug) or {}).get("value")
            if group["small"] or value is None or not whole:
                continue
            gap = sign * (whole - value) / abs(whole)
            if gap > 0:
                yield {
                    "column": part["column"],
                    "group": group["group"],
                    "rows": group["rows"],
                    "measure": measure_title(slug),
                    "value": value,
                    "overall": whole,
                    "gap": gap,
                }


def _group(one: Json) -> str:
    column, group = clip(one["column"], MOST_NAME), clip(one["group"], MOST_NAME)
    return (
        f"Worst by {column}: {group}, {one['measure'].lower()} {said(one['value'])} "
        f"instead of {said(one['overall'])} ({number(one['rows'])} rows)."
    )


def _untested(told: Measured) -> Json:
    families = {one["slug"]: one for one in told.result.get("families", [])}
    found = [
        {"title": one["title"], "reason": clip(one["reason"], MOST_REASON)}
        for one in told.result["checks"]
        if one["verdict"] == Verdict.NOT_TESTED
    ]
    found += [
        {"title": one["title"], "reason": clip(one["not_tested"], MOST_REASON)}
        for one in families.values()
        if one["not_tested"]
    ]
    if not families:
        titles = ", ".join(FAMILIES[slug].lower() for slug in BEYOND_MEASURES)
        reason = f"This report is from before these were looked at: {titles}."
        found.append({"title": "Further checks", "reason": reason})
    return {
        "untested": found[:MOST_UNTESTED],
        "untested_more": _more(found, MOST_UNTESTED),
    }


# Old reports hold the rest in parts of their own.
BEYOND_MEASURES = ("robustness", "drift", "leakage", "runtime", "portal")


def _findings(around: Around) -> Json:
    found = [
        f"{one.get_severity_display()}: {clip(one.title, MOST_REASON)} (finding "
        f"{one.number}, {one.get_state_display().lower()}, "
        f"{clip(one.owner.full_name, MOST_NAME)})"
        for one in around.findings[:MOST_FINDINGS]
    ]
    rest = len(around.findings) - MOST_FINDINGS
    return {"findings": found, "findings_more": f"{rest} more." if rest > 0 else ""}


def _facts(told: Told, around: Around) -> list[list[str]]:
    report, plan = told.head["report"], told.head["plan"]
    rows = said(report["rows"])
    kind = "sealed" if told.evaluated_on == Rows.SEALED else "held-out"
    if positives := told.result.get("positives"):
        share = ratio(positives / report["rows"], 0)
        rows = f"{rows} {kind} rows, {share} of them positive"
    else:
        rows = f"{rows} {kind} rows"
    data = clip(around.data, MOST_NAME * 2)
    asked = clip(around.requested_by, MOST_NAME)
    return [
        ["Measured on", f"{rows}, of {data}"],
        ["Judged by", f"Plan {plan['number']}, {clip(around.written_by, MOST_NAME)}"],
        ["Asked for by", f"{asked}, {report['requested_at'][:10]}"],
    ]
