"""The form of a datasheet, drawn from the file of questions."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField

from apps.accounts.models import User
from apps.core.forms import PortalForm
from apps.datasets.actions import LONGEST_ANSWER, DatasheetValues
from apps.datasets.datasheet_fields import DatasheetField, definition
from apps.datasets.models import Datasheet, HintDecision
from apps.datasets.sensitivity import Sensitivity


class Question(NamedTuple):
    """A question with its control."""

    field: DatasheetField
    control: BoundField
    is_needed: bool


class DatasheetForm(PortalForm):
    """Every question of the datasheet; none must be answered to save it."""

    def __init__(
        self,
        data: Any = None,
        *,
        members: Iterable[User],
        datasheet: Datasheet | None,
        needed: Sequence[DatasheetField],
    ) -> None:
        self.members = {str(person.pk): person for person in members}
        self.needed = {field.slug for field in needed}
        self.base_fields = {  # type: ignore[misc]  # they come from a file
            slug: self._control(field) for slug, field in definition().fields.items()
        }
        super().__init__(data, initial=_values_of(datasheet))

    def _control(self, field: DatasheetField) -> forms.Field:
        common: dict[str, Any] = {
            "required": False,
            "label": field.title,
            "help_text": field.help,
        }
        if field.kind == "text":
            rows = forms.Textarea(attrs={"rows": 3})
            return forms.CharField(max_length=LONGEST_ANSWER, widget=rows, **common)
        people = [
            (pk, f"{one.full_name} ({one.email})") for pk, one in self.members.items()
        ]
        choices = people if field.kind == "person" else Sensitivity.choices
        return forms.ChoiceField(choices=[("", "– not stated –"), *choices], **common)

    def sections(self) -> Iterator[tuple[str, list[Question]]]:
        """Each section with its questions."""
        for section in definition().sections:
            yield (
                section.title,
                [
                    Question(field, self[field.slug], field.slug in self.needed)
                    for field in section.fields
                ],
            )

    def values(self) -> DatasheetValues:
        """What was filled in, as the action takes it."""
        given = self.cleaned_data
        return DatasheetValues(
            steward=self.members.get(given["steward"]),
            sensitivity=given["sensitivity"],
            answers={slug: given[slug] for slug in definition().text_slugs},
        )


def _values_of(datasheet: Datasheet | None) -> dict[str, Any]:
    if datasheet is None:
        return {}
    steward = str(datasheet.steward_id) if datasheet.steward_id else ""
    return {
        **datasheet.answers,
        "steward": steward,
        "sensitivity": datasheet.sensitivity,
    }


class HintForm(PortalForm):
    """The steward's word on one hint."""

    decision = forms.ChoiceField(
        choices=[
            (HintDecision.CONFIRMED.value, HintDecision.CONFIRMED.label),
            (HintDecision.DISMISSED.value, HintDecision.DISMISSED.label),
        ],
        widget=forms.RadioSelect,
        label="These values are",
    )
    reason = forms.CharField(
        max_length=LONGEST_ANSWER,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed when they are not personal: what the values are instead.",
    )
