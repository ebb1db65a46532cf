"""Declaring what a model must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import difference, record
from apps.core.errors import Invalid
from apps.registry.actions.models import locked_model
from apps.registry.models import ModelVersion, RegisteredModel
from apps.validation import queries, rules
from apps.validation.criteria import check_criteria
from apps.validation.models import ValidationPlan

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_SUBGROUP_COLUMNS = 10


@dataclass(frozen=True)
class PlanTerms:
    """What a plan fixes beside its criteria.

    Attributes:
        sealed_decides: whether only a report on sealed rows makes a version validated.
        champion: number of the version to compare with; None means whoever is
            champion when a report is asked for.
    """

    sealed_decides: bool = False
    champion: int | None = None


DEFAULT_TERMS = PlanTerms()


@transaction.atomic
def write_plan(
    *,
    model: RegisteredModel,
    criteria: Sequence[Mapping[str, Any]],
    subgroup_columns: Sequence[str],
    reason: str,
    by: User,
    terms: PlanTerms = DEFAULT_TERMS,
) -> ValidationPlan:
    """Declare what every version of `model` must do from now on.

    Args:
        model: whose versions are judged.
        criteria: each with `measure`, `operator`, `threshold` and `blocking`.
        subgroup_columns: columns by which results are told apart.
        reason: why; needed when a report exists that could have been seen.
        by: a validator or data scientist.
        terms: which rows decide, and with what versions are compared.

    The objective of the project is kept as it stands now: what errors cost is fixed
    before results are seen, like the criteria.

    Raises:
        Invalid: a criterion cannot be judged, a column or version is unknown, there
            are no sealed rows, a reason is missing, or nothing differs from the
            present plan.
        Refused: the person may not.
    """
    model = locked_model(model)
    ensure(rules.can_write_plan(by, model))
    version = queries.known_newest_version(model)
    question = queries.known_question_of(version)
    former = queries.latest_plan(model)
    plan = ValidationPlan(
        model=model,
        number=former.number + 1 if former else 1,
        criteria=check_criteria(criteria, question.task),
        subgroup_columns=_check_columns(subgroup_columns, version),
        sealed_decides=_check_sealed(version, asked=terms.sealed_decides),
        champion=_check_champion(terms.champion, version),
        mission=queries.mission_now(model.project),
        reason=reason.strip(),
        written_by=by,
    )
    changes = _plan_changes(former, plan)
    _check_change(changes, plan)
    plan.save()
    record(
        EventType.PLAN_WRITTEN,
        target=plan,
        project=model.project,
        by=by,
        changes=changes,
        reason=plan.reason,
    )
    return plan


def _check_columns(names: Sequence[str], version: ModelVersion) -> list[str]:
    known = queries.subgroup_candidates(version)
    chosen = list(dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in known]:
        raise Invalid(
            f"The data of this model has no column {unknown[0][:100]}.",
            fields={"subgroup_columns": "Choose columns of the model's data."},
        )
    if len(chosen) > MAX_SUBGROUP_COLUMNS:
        sentence = f"Choose at most {MAX_SUBGROUP_COLUMNS} columns."
        raise Invalid(sentence, fields={"subgroup_columns": sentence})
    return chosen


def _check_sealed(version: ModelVersion, *, asked: bool) -> bool:
    if asked and queries.sealed_standing(version) is None:
        sentence = "The data of this model has no sealed rows."
        raise Invalid(sentence, fields={"sealed_decides": sentence})
    return asked


def _check_champion(number: int | None, version: ModelVersion) -> ModelVersion | None:
    if number is None:
        return None
    found = version.model.versions.active().filter(number=number).first()
    if found is None or not queries.can_be_beaten(found, version):
        sentence = f"Version {number} does not answer the question of this model."
        raise Invalid(sentence, fields={"champion": sentence})
    return found


def _plan_changes(
    former: ValidationPlan | None, plan: ValidationPlan
) -> dict[str, Any]:
    def said(one: ValidationPlan | None) -> dict[str, Any]:
        return {
            "criteria": one.criteria_in_words if one else [],
            "subgroup_columns": one.subgroup_columns if one else [],
            "terms": one.terms_in_words if one else [],
        }

    return difference(said(former), said(plan))


def _check_change(changes: dict[str, Any], plan: ValidationPlan) -> None:
    if not changes:
        raise Invalid(f"Plan {plan.number - 1} says exactly this already.")
    if not plan.reason and queries.has_reports(plan.model):
        raise Invalid(
            "There is a report on this model already, so say why the criteria change.",
            fields={"reason": "Give the reason for the change."},
        )
