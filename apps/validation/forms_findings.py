"""Forms about findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms

from apps.core.forms import PortalForm
from apps.validation.actions.findings import MAX_TEXT_CHARACTERS, MAX_TITLE_CHARACTERS
from apps.validation.models import Severity

if TYPE_CHECKING:
    from apps.accounts.models import User


class OwnerForm(PortalForm):
    """Who must answer for a finding."""

    owner = forms.TypedChoiceField(label="Who must answer")

    def __init__(self, *args: Any, owners: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = {str(person.pk): person for person in owners}
        field: Any = self.fields["owner"]
        field.choices = [(key, person.full_name) for key, person in people.items()]
        field.coerce = people.get


class FindingForm(OwnerForm):
    """What a validator holds against a version."""

    title = forms.CharField(max_length=MAX_TITLE_CHARACTERS, label="In a few words")
    text = forms.CharField(
        max_length=MAX_TEXT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 5}),
        label="What was found, and how",
    )
    severity = forms.ChoiceField(
        choices=Severity.choices,
        initial=Severity.MEDIUM,
        label="Severity",
        help_text="With a blocking finding open, nobody can approve.",
    )
    due_on = forms.DateField(
        required=False,
        label="Until when",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    field_order = ("title", "text", "severity", "owner", "due_on")


class AnswerForm(PortalForm):
    """What the owner of a finding says."""

    answer = forms.CharField(
        max_length=MAX_TEXT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        label="What was done, or why nothing is",
    )


class ClosingForm(PortalForm):
    """Why a finding is settled, or open again."""

    closing = forms.CharField(
        max_length=MAX_TEXT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Why",
    )
