"""Hold figures against the criteria that were written before."""

import hashlib
import math
from collections.abc import Sequence
from typing import Literal

import rfc8785

from engine.evaluation.shape import Family, Figure
from engine.folder import Json, finite
from engine.spec import (
    MEASURES,
    PROMISES,
    Criterion,
    EvaluateSpec,
    Fact,
    Task,
    family_of,
)

Verdict = Literal["pass", "fail", "warn", "not_tested"]


def judge(spec: EvaluateSpec, families: Sequence[Family]) -> list[Json]:
    """Judge every criterion by the figures of the families.

    A missed criterion that does not block is a `warn`; what could not be measured is
    `not_tested`, with the reason.
    """
    by_slug = {family.slug: family for family in families}
    facts = {fact.slug: fact for fact in spec.facts}
    digests = {family.slug: digest(family.to_json()) for family in families}
    return [
        _check(c, spec.task, by_slug[family_of(c.measure)], facts.get(c.measure))
        | {
            "family": family_of(c.measure),
            "digest": _source(facts.get(c.measure)) or digests[family_of(c.measure)],
        }
        for c in spec.criteria
    ]


def digest(entry: Json) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of a family's entry."""
    return hashlib.sha256(rfc8785.dumps(finite(entry))).hexdigest()


def overall(checks: Sequence[Json]) -> Verdict:
    """Sum up: a blocking failure fails; a blocking gap, or no check, is not tested."""
    blocking = [found["verdict"] for found in checks if found["blocking"]]
    if "fail" in blocking:
        return "fail"
    if "not_tested" in blocking or not checks:
        return "not_tested"
    return "pass"


def _source(fact: Fact | None) -> str:
    return fact.digest if fact else ""


def _check(criterion: Criterion, task: Task, family: Family, fact: Fact | None) -> Json:
    slug = criterion.measure
    found = next((one for one in family.figures if one.slug == slug), None)
    value = math.nan if found is None else found.value
    verdict: Verdict = "not_tested"
    reason = _not_tested(slug, task, family, found, fact)
    if not reason:
        holds = value >= criterion.threshold
        if criterion.operator == "<=":
            holds = value <= criterion.threshold
        verdict = "pass" if holds else "fail" if criterion.blocking else "warn"
        relation = "meets" if holds else "misses"
        wanted = f"{criterion.operator} {criterion.threshold:g}"
        reason = f"{PROMISES[slug].title} is {value:.4g}, which {relation} {wanted}."
    return {
        "measure": slug,
        "title": PROMISES[slug].title if slug in PROMISES else slug,
        "operator": criterion.operator,
        "threshold": criterion.threshold,
        "blocking": criterion.blocking,
        "value": value,
        "low": math.nan if found is None else found.low,
        "high": math.nan if found is None else found.high,
        "verdict": verdict,
        "reason": reason,
    }


def _not_tested(
    slug: str, task: Task, family: Family, found: Figure | None, fact: Fact | None
) -> str:
    if slug not in PROMISES:
        return f"{slug} is not a measure or check of this engine."
    title = PROMISES[slug].title
    if task not in PROMISES[slug].tasks:
        return f"{title} does not apply to a {task} target."
    if fact is not None and fact.value is None:
        return fact.reason or f"{title} is not known to the portal."
    if found is None and family.not_tested:
        return family.not_tested
    if found is None or not math.isfinite(found.value):
        kind = "computed" if slug in MEASURES else "found"
        return f"{title} cannot be {kind} from these rows and predictions."
    return ""
