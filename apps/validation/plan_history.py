"""How a validation plan came to say what it says, and what had been seen by then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from apps.validation.criteria import requirement, title_of
from apps.validation.models import SEALED_DECIDES, ValidationPlan

STEPS_SHOWN = 10
Criterion = Mapping[str, Any]


class Shift(StrEnum):
    """Which way a change goes."""

    ADDED = "Added"
    REMOVED = "No longer required"
    EASED = "Eased"
    TIGHTENED = "Tightened"
    MIXED = "Eased in part"


LESS = frozenset({Shift.REMOVED, Shift.EASED, Shift.MIXED})


@dataclass(frozen=True)
class CriterionChange:
    """What became of one criterion.

    Attributes:
        title: of the measure or check.
        before: what was required; empty when nothing was.
        after: what is required; empty when nothing is.
        shift: which way it went.
    """

    title: str
    before: str
    after: str
    shift: Shift

    @property
    def asks_less(self) -> bool:
        """Say whether a model can pass now that could not before."""
        return self.shift in LESS


@dataclass(frozen=True)
class PlanStep:
    """How a plan differs from the one before.

    Attributes:
        plan: the later one, with `written_by`.
        criteria: changed ones; those that stayed are left out.
        columns_added: by which results are told apart from now on.
        columns_removed: by which they no longer are.
        terms_added: sentences on rows, champion and mission that it says anew.
        terms_removed: those that it says no longer.
        reports_seen: finished reports on versions of the model, when it was written.
    """

    plan: ValidationPlan
    criteria: list[CriterionChange]
    columns_added: list[str]
    columns_removed: list[str]
    terms_added: list[str]
    terms_removed: list[str]
    reports_seen: int

    @property
    def eased_after_results(self) -> bool:
        """Say whether less was asked once there was something to see."""
        asks_less = any(one.asks_less for one in self.criteria)
        asks_less = asks_less or SEALED_DECIDES in self.terms_removed
        return self.reports_seen > 0 and asks_less


def steps_to(plan: ValidationPlan) -> list[PlanStep]:
    """List the changes that led to `plan`, newest first; none for a first plan."""
    plans = ValidationPlan.objects.filter(model=plan.model_id, number__lte=plan.number)
    plans = plans.with_reports_seen().order_by("-number")
    plans = plans.select_related("written_by", "champion")
    written = plans[: STEPS_SHOWN + 1]
    return [_step(former, later) for later, former in pairwise(written)]


def _step(former: ValidationPlan, later: ValidationPlan) -> PlanStep:
    before, after = former.subgroup_columns, later.subgroup_columns
    said, says = former.terms_in_words, later.terms_in_words
    return PlanStep(
        plan=later,
        criteria=changes_between(former.criteria, later.criteria),
        columns_added=[name for name in after if name not in before],
        columns_removed=[name for name in before if name not in after],
        terms_added=[term for term in says if term not in said],
        terms_removed=[term for term in said if term not in says],
        reports_seen=later.reports_seen,
    )


def changes_between(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[CriterionChange]:
    """Compare two lists of criteria, each measure with itself.

    A measure may stand twice in a plan, once as what must hold and once as what should:
    those of one duty are compared first.
    """
    gone = [criterion for criterion in before if criterion not in after]
    come = [criterion for criterion in after if criterion not in before]
    found = []
    for same in (("measure", "blocking"), ("measure",)):
        for criterion in list(come):
            twin = next((o for o in gone if _agree(o, criterion, same)), None)
            if twin is not None:
                gone.remove(twin)
                come.remove(criterion)
                found.append(_change(twin, criterion))
    found += [_change(None, criterion) for criterion in come]
    return found + [_change(criterion, None) for criterion in gone]


def _agree(one: Criterion, other: Criterion, fields: tuple[str, ...]) -> bool:
    return all(one[field] == other[field] for field in fields)


def _change(before: Criterion | None, after: Criterion | None) -> CriterionChange:
    named = after or before or {}
    return CriterionChange(
        title=title_of(named["measure"]),
        before=_duty(before),
        after=_duty(after),
        shift=_shift(before, after),
    )


def _duty(criterion: Criterion | None) -> str:
    if criterion is None:
        return ""
    duty = "must" if criterion["blocking"] else "should"
    return f"{duty} be {requirement(criterion)}"


def _shift(before: Criterion | None, after: Criterion | None) -> Shift:
    if before is None:
        return Shift.ADDED
    if after is None:
        return Shift.REMOVED
    sign = 1 if after["operator"] == ">=" else -1
    raised = sign * (after["threshold"] - before["threshold"])
    bound = int(after["blocking"]) - int(before["blocking"])
    if raised >= 0 and bound >= 0:
        return Shift.TIGHTENED
    if raised <= 0 and bound <= 0:
        return Shift.EASED
    return Shift.MIXED
