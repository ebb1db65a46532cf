"""What is stated about a dataset, and the steward's word on personal data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import difference, personal, record
from apps.core.errors import Invalid
from apps.datasets import queries, rules
from apps.datasets.actions.describe import lock_dataset
from apps.datasets.datasheet_fields import definition
from apps.datasets.models import Datasheet, HintDecision, PersonalDataHint
from apps.datasets.sensitivity import RESTRICTING, Sensitivity, fault
from apps.projects.actions import grant, restrict
from apps.projects.rules import sees

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.datasets.models import Dataset

LONGEST_ANSWER = 4000


@dataclass(frozen=True)
class DatasheetValues:
    """A whole datasheet; what it leaves out is not stated.

    Args:
        steward: a member of the project, or nobody.
        sensitivity: a value of `Sensitivity`, or empty.
        answers: text by slug of its question.
    """

    steward: User | None = None
    sensitivity: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def write_datasheet(
    *, dataset: Dataset, values: DatasheetValues, by: User
) -> Datasheet:
    """Add a revision of the datasheet, and restrict the dataset where it demands that.

    Returns:
        The revision; the newest one when it says exactly this already.

    Raises:
        Invalid: a text is too long, a question unknown, the steward no member, or the
            sensitivity contradicts hints at personal data.
        Refused: only who may edit the dataset, and its steward.
    """
    dataset = lock_dataset(dataset)
    ensure(rules.can_write_datasheet(by, dataset))
    former = queries.newest_datasheet(dataset)
    answers = _checked_answers(values.answers)
    _check_steward(dataset, values.steward)
    _check_sensitivity(dataset, values.sensitivity)
    changes = difference(
        _said(former),
        {
            "steward": values.steward,
            "sensitivity": values.sensitivity,
            **dict.fromkeys(definition().text_slugs, ""),
            **answers,
        },
    )
    if former and not changes:
        return former
    _keep_restricted(dataset, values, by)
    datasheet = Datasheet.objects.create(
        dataset=dataset,
        number=former.number + 1 if former else 1,
        definition_version=definition().version,
        steward=values.steward,
        sensitivity=values.sensitivity,
        answers=answers,
        changed=[slug for slug in definition().fields if slug in changes],
        written_by=by,
    )
    record(
        EventType.DATASET_DATASHEET_WRITTEN,
        target=datasheet,
        project=dataset.project,
        by=by,
        changes=_without_names(changes),
    )
    return datasheet


def _said(former: Datasheet | None) -> dict[str, Any]:
    texts = dict.fromkeys(definition().text_slugs, "")
    if former is None:
        return {"steward": None, "sensitivity": "", **texts}
    return {
        "steward": former.steward,
        "sensitivity": former.sensitivity,
        **texts,
        **former.answers,
    }


def _without_names(changes: dict[str, Any]) -> dict[str, Any]:
    """Let no event name a steward otherwise than by a commitment."""
    if "steward" not in changes:
        return changes
    named = [personal(person) if person else "" for person in changes["steward"]]
    return {**changes, "steward": named}


def _checked_answers(answers: Mapping[str, str]) -> dict[str, str]:
    known, faults = definition().text_slugs, {}
    for slug, text in answers.items():
        if slug not in known:
            faults[slug[:100]] = "There is no such question."
        elif len(text) > LONGEST_ANSWER or "\0" in text:
            faults[slug] = (
                f"Write at most {LONGEST_ANSWER:,} characters, none of them NUL."
            )
    if faults:
        raise Invalid("The datasheet needs correcting; see the fields.", fields=faults)
    stripped = {slug: text.strip() for slug, text in answers.items()}
    return {slug: text for slug, text in stripped.items() if text}


def _check_steward(dataset: Dataset, steward: User | None) -> None:
    if steward is None:
        return
    if not dataset.project.memberships.filter(user=steward).exists():
        raise Invalid(
            "The steward is a member of the project.",
            fields={"steward": "Choose a member of this project."},
        )


def _check_sensitivity(dataset: Dataset, sensitivity: str) -> None:
    if sensitivity and sensitivity not in Sensitivity.values:
        sentence = f"Choose one of {', '.join(Sensitivity.values)}."
        raise Invalid(sentence, fields={"sensitivity": sentence})
    standing = queries.datasheet_standing(dataset)
    sentence = fault(
        sensitivity, undecided=standing.undecided, confirmed=standing.confirmed
    )
    if sentence:
        raise Invalid(sentence, fields={"sensitivity": sentence})


def _keep_restricted(dataset: Dataset, values: DatasheetValues, by: User) -> None:
    """Restrict what is CUI or PII, and show it to its steward all the same."""
    if values.sensitivity in RESTRICTING and not dataset.is_restricted:
        restrict(thing=dataset, by=by)
        dataset.refresh_from_db(fields=["is_restricted"])
    if values.steward and not sees(values.steward, dataset):
        grant(thing=dataset, person=values.steward, by=by)


@transaction.atomic
def decide_hint(
    *, hint: PersonalDataHint, decision: str, reason: str, by: User
) -> PersonalDataHint:
    """Say whether the column of a hint holds personal data.

    Args:
        hint: which; decided before or not.
        decision: `confirmed` or `dismissed`.
        reason: why; needed to dismiss.
        by: the steward of the dataset.

    Raises:
        Invalid: another decision, or no reason where one is needed.
        Refused: only the steward.
        WrongState: the dataset has no steward.
    """
    dataset = lock_dataset(hint.version.dataset)
    hint = PersonalDataHint.objects.select_for_update().get(pk=hint.pk)
    ensure(rules.can_decide_hint(by, dataset))
    if decision not in {HintDecision.CONFIRMED, HintDecision.DISMISSED}:
        sentence = "Choose confirmed or dismissed."
        raise Invalid(sentence, fields={"decision": sentence})
    reason = reason.strip()
    if len(reason) > LONGEST_ANSWER or "\0" in reason:
        sentence = f"Write at most {LONGEST_ANSWER:,} characters, none of them NUL."
        raise Invalid(sentence, fields={"reason": sentence})
    if decision == HintDecision.DISMISSED and not reason:
        sentence = "Say why these values are not personal data."
        raise Invalid(sentence, fields={"reason": sentence})
    if (hint.decision, hint.reason) == (decision, reason):
        return hint
    changes = difference({"decision": hint.decision}, {"decision": decision})
    hint.decision, hint.reason = decision, reason
    hint.decided_by, hint.decided_at = by, timezone.now()
    hint.save()
    record(
        EventType.DATASET_HINT_DECIDED,
        target=hint.version,
        project=dataset.project,
        by=by,
        changes={"column": hint.column, "kind": hint.kind, **changes},
        reason=reason,
    )
    return hint
