from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from apps.access.permissions import Permission
from apps.audit.queries import AuditFilter
from apps.core.forms import PortalForm


class SaveFilterForm(PortalForm):
    name = forms.CharField(label="Name", max_length=80)
    query = forms.CharField(widget=forms.HiddenInput, max_length=2000, required=False)

    def clean_query(self) -> str:
        """Keep what the trail understands of it, in one spelling."""
        wanted = AuditFilter.from_query(QueryDict(self.cleaned_data["query"]).dict())
        if not wanted.given:
            raise forms.ValidationError("There is no filter to save. Choose one first.")
        kept = QueryDict(mutable=True)
        kept.update(wanted.given)
        return kept.urlencode()


class _MomentForm(PortalForm):
    at = forms.DateTimeField(
        label="At (UTC)",
        required=False,
        help_text="Empty for now.",
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )

    def clean_at(self) -> Any:
        return self.cleaned_data["at"] or timezone.now()


class WhoCouldForm(_MomentForm):
    permission = forms.ChoiceField(label="Could", choices=[])
    project = forms.ChoiceField(label="In", required=False, choices=[])
    field_order = ("permission", "at", "project")

    def __init__(self, *args: Any, projects: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        permissions = [(one.value, one.words) for one in Permission]
        self.fields["permission"].choices = [("", "Choose"), *permissions]  # type: ignore[attr-defined]  # it is a ChoiceField
        self.fields["project"].choices = [("", "Everywhere"), *projects.items()]  # type: ignore[attr-defined]  # same


class WhatCouldForm(_MomentForm):
    person = forms.CharField(
        label="Person", max_length=254, help_text="Beginnings of a name or address."
    )
    field_order = ("person", "at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].widget.attrs["list"] = "known-people"
