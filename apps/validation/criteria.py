"""Acceptance criteria: what may be promised, how it is checked and how it is said."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from apps.core.errors import Invalid
from engine.spec import (
    PROMISES,
    CheckKind,
    Criterion,
    Measure,
    SpecError,
    Task,
    decode,
)

MAX_CRITERIA = 20
OPERATORS = {"higher": ">=", "lower": "<="}
OPERATOR_WORDS = {">=": "at least", "<=": "at most"}


def in_words(criterion: Mapping[str, Any]) -> str:
    """Say a criterion as a person would: "Recall at least 0.7 — must hold"."""
    duty = "must hold" if criterion["blocking"] else "should hold"
    return f"{title_of(criterion['measure'])} {requirement(criterion)} — {duty}"


def requirement(criterion: Mapping[str, Any]) -> str:
    """Say what is required of the measure: "at least 0.7"."""
    return f"{OPERATOR_WORDS[criterion['operator']]} {criterion['threshold']:,g}"


def title_of(slug: str) -> str:
    """Name what is promised; a slug that is in no catalogue stays as it is."""
    return PROMISES[slug].title if slug in PROMISES else slug


def check_criteria(
    raw: Sequence[Mapping[str, Any]], task: Task
) -> list[dict[str, Any]]:
    """Check criteria as they came in and return them in their stored form.

    Args:
        raw: each with `measure`, `operator`, `threshold` and `blocking`.
        task: what the model does; a measure must apply to it.

    Raises:
        Invalid: one of them cannot be judged, none is blocking, or one comes twice.
    """
    if len(raw) > MAX_CRITERIA:
        raise _invalid("criteria", f"Write at most {MAX_CRITERIA} criteria.")
    found = [_decoded(place, criterion) for place, criterion in enumerate(raw)]
    for place, criterion in enumerate(found):
        _check_one(f"criteria[{place}]", criterion, task)
    if not any(criterion.blocking for criterion in found):
        raise _invalid("criteria", "Write at least one criterion that must hold.")
    if len({(c.measure, c.blocking) for c in found}) < len(found):
        raise _invalid(
            "criteria",
            "A measure is required twice; keep one that must hold and one that should.",
        )
    return [asdict(criterion) for criterion in found]


def _decoded(place: int, raw: Mapping[str, Any]) -> Criterion:
    try:
        found: Criterion = decode(Criterion, raw, f"criteria[{place}]")
    except SpecError as error:
        raise Invalid(str(error), fields={error.field: error.problem}) from error
    return found


def _check_one(field: str, criterion: Criterion, task: Task) -> None:
    measure = PROMISES.get(criterion.measure)
    if measure is None or task not in measure.tasks:
        title = title_of(criterion.measure)
        raise _invalid(f"{field}.measure", f"{title} does not apply to a {task} model.")
    if criterion.operator != OPERATORS[measure.better]:
        raise _invalid(
            f"{field}.operator",
            f"For {measure.title}, {measure.better} is better: "
            f"use {OPERATORS[measure.better]}.",
        )
    lowest, highest = _span(measure)
    if not lowest <= criterion.threshold <= highest:
        limit = "lie between 0 and 1" if highest == 1 else "not be negative"
        raise _invalid(f"{field}.threshold", f"For {measure.title} it must {limit}.")


def _span(promised: Measure | CheckKind) -> tuple[float, float]:
    if promised.unit == "difference":
        return float("-inf"), float("inf")
    return 0.0, 1.0 if promised.unit in ("ratio", "yes_no") else float("inf")


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, fields={field: sentence})
