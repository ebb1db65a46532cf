"""How complete a datasheet is, and which hints at personal data wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from apps.accounts.models import User
from apps.datasets.datasheet_fields import DatasheetField, definition, impact_words
from apps.datasets.models import (
    Dataset,
    DatasetVersion,
    Datasheet,
    HintDecision,
    PersonalDataHint,
)
from apps.datasets.sensitivity import fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from django.db.models import QuerySet


@dataclass(frozen=True)
class DatasheetStanding:
    """How far the datasheet of one dataset is, at its project's level of impact.

    Attributes:
        datasheet: its newest revision; None before the first.
        required: questions that must be answered.
        missing: those of them without an answer.
        undecided: hints at personal data that wait for the steward, in any version.
        confirmed: hints that the steward confirmed, in any version.
    """

    dataset: Dataset
    datasheet: Datasheet | None
    required: tuple[DatasheetField, ...]
    missing: tuple[DatasheetField, ...]
    undecided: int
    confirmed: int

    @property
    def answered(self) -> int:
        """How many of the required questions are answered."""
        return len(self.required) - len(self.missing)

    @property
    def ratio(self) -> float:
        """The answered share of what is required, 0 to 1."""
        return self.answered / len(self.required) if self.required else 1.0

    @property
    def is_complete(self) -> bool:
        """Say whether nothing required is missing."""
        return not self.missing

    @property
    def for_whom(self) -> str:
        """The kind of project whose requirements count."""
        return impact_words(self.dataset.project.impact)

    @property
    def contradiction(self) -> str:
        """Say why the stated sensitivity cannot be right; empty when it can."""
        stated = self.datasheet.sensitivity if self.datasheet else ""
        return fault(stated, undecided=self.undecided, confirmed=self.confirmed)

    @property
    def warning(self) -> str:
        """Say in one line what is wrong; empty when nothing is."""
        parts = []
        if self.missing:
            names = ", ".join(field.title.lower() for field in self.missing)
            parts.append(f"The datasheet is incomplete: {names}.")
        if self.undecided:
            hints = "hint" if self.undecided == 1 else "hints"
            parts.append(f"{self.undecided} {hints} at personal data undecided.")
        if self.contradiction:
            parts.append(self.contradiction)
        return " ".join(parts)


def datasheet_standings(datasets: Sequence[Dataset]) -> dict[UUID, DatasheetStanding]:
    """Say how far the datasheet of each dataset is, in two queries.

    Args:
        datasets: with their projects at hand.
    """
    newest = {
        datasheet.dataset_id: datasheet
        for datasheet in Datasheet.objects.newest_of(datasets)
    }
    hints = _hint_counts(datasets)
    return {
        dataset.pk: _standing(
            dataset, newest.get(dataset.pk), hints.get(dataset.pk, (0, 0))
        )
        for dataset in datasets
    }


def datasheet_standing(dataset: Dataset) -> DatasheetStanding:
    """Say how far the datasheet of one dataset is."""
    return datasheet_standings([dataset])[dataset.pk]


def newest_datasheet(dataset: Dataset) -> Datasheet | None:
    """Return the newest revision; its steward and whether they are a member with it."""
    return Datasheet.objects.newest_of([dataset]).first()


def possible_stewards(dataset: Dataset) -> QuerySet[User]:
    """List the members of the project, by name."""
    members = dataset.project.memberships.values("user")
    return User.objects.people().filter(pk__in=members).order_by("full_name", "pk")


def _hint_counts(datasets: Iterable[Dataset]) -> dict[UUID, tuple[int, int]]:
    hints = PersonalDataHint.objects.filter(
        version__dataset__in=[dataset.pk for dataset in datasets]
    )
    counted = hints.values_list("version__dataset_id").annotate(
        undecided=Count("pk", filter=Q(decision=HintDecision.UNDECIDED)),
        confirmed=Count("pk", filter=Q(decision=HintDecision.CONFIRMED)),
    )
    return {
        dataset: (undecided, confirmed) for dataset, undecided, confirmed in counted
    }


def _standing(
    dataset: Dataset, datasheet: Datasheet | None, hints: tuple[int, int]
) -> DatasheetStanding:
    sensitivity = datasheet.sensitivity if datasheet else ""
    required = tuple(
        field
        for field in definition().fields.values()
        if field.is_required(dataset.project.impact, sensitivity)
    )
    missing = tuple(field for field in required if not _is_answered(datasheet, field))
    return DatasheetStanding(dataset, datasheet, required, missing, *hints)


def _is_answered(datasheet: Datasheet | None, field: DatasheetField) -> bool:
    if datasheet is None:
        return False
    if field.kind == "person":  # somebody who left answers for nothing
        return datasheet.has_steward
    return bool(datasheet.answer(field.slug).strip())


def datasheet_sections(
    standing: DatasheetStanding, datasheet: Datasheet | None
) -> list[dict[str, Any]]:
    """Lay out a revision: sections of questions with answers and what is missing."""
    required = {field.slug for field in standing.required}
    missing = {field.slug for field in standing.missing}
    return [
        {
            "title": section.title,
            "rows": [
                {
                    "field": field,
                    "answer": datasheet.answer(field.slug) if datasheet else "",
                    "is_required": field.slug in required,
                    "is_missing": field.slug in missing,
                }
                for field in section.fields
            ],
        }
        for section in definition().sections
    ]


def hints_of(version: DatasetVersion) -> QuerySet[PersonalDataHint]:
    """List the hints on a version, by column."""
    return (
        PersonalDataHint.objects.filter(version=version)
        .select_related("decided_by")
        .order_by("column", "kind")
    )


def versions_with_undecided_hints(dataset: Dataset) -> QuerySet[DatasetVersion]:
    """List the versions of a dataset in which hints wait, newest first."""
    waiting = PersonalDataHint.objects.undecided().filter(version__dataset=dataset)
    return (
        DatasetVersion.objects.filter(pk__in=waiting.values("version"))
        .only("pk", "number", "dataset")
        .order_by("-number")
    )
