from typing import Any
from uuid import UUID

from django import forms

from apps.audit.retention.actions import MAX_REASON_CHARACTERS
from apps.audit.retention.models import HoldKind
from apps.core.forms import PortalForm

MAX_ID_CHARACTERS = 64


class ReasonForm(PortalForm):
    reason = forms.CharField(
        max_length=MAX_REASON_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the trail for ever. Write no names of people.",
    )


class HoldForm(ReasonForm):
    kind = forms.ChoiceField(choices=HoldKind.choices, label="What is held")
    covered = forms.CharField(
        max_length=MAX_ID_CHARACTERS,
        required=False,
        label="Its id",
        help_text="Of the project, account or object, as an event of it shows. Empty "
        "for the whole trail.",
    )
    field_order = ("kind", "covered", "reason")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        kind, covered = data.get("kind"), data.pop("covered", "")
        data |= {"subject_id": None, "object_id": ""}
        if kind in {HoldKind.PROJECT, HoldKind.PERSON}:
            try:
                data["subject_id"] = UUID(covered)
            except ValueError:
                self.add_error("covered", "Give the id of the project or account.")
        elif kind == HoldKind.OBJECT and not covered:
            self.add_error("covered", "Give the id of the object.")
        else:
            data["object_id"] = covered if kind == HoldKind.OBJECT else ""
        return data
