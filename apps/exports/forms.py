"""The form in which an export is asked for."""

from typing import Any

from django import forms

from apps.audit.queries import AuditFilter
from apps.core.forms import PortalForm
from apps.exports.models import ExportForm
from apps.exports.wish import Wish


class RequestForm(PortalForm):
    """What the file shall be; the filter stands in the address of the page."""

    form = forms.ChoiceField(
        widget=forms.RadioSelect, label="What do you need?", initial=ExportForm.CSV
    )
    with_names = forms.BooleanField(
        required=False,
        label="With names and addresses of people",
        help_text="Without them people appear as the ids of their accounts. What is in "
        "a file cannot be erased from it later, so include names only if you need "
        "them. The events with their proofs never have them.",
    )
    with_byte_order_mark = forms.BooleanField(
        required=False,
        label="For Excel",
        help_text="Begins a CSV file with a mark by which Excel knows its letters.",
    )

    def __init__(self, *args: Any, may_have_bundle: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [one for one in ExportForm if one.is_filtered or may_have_bundle]
        self.fields["form"].choices = [  # type: ignore[attr-defined]
            (one.value, one.label) for one in offered
        ]

    def wish(self, wanted: AuditFilter) -> Wish:
        """Say what was asked for."""
        return Wish(
            ExportForm(self.cleaned_data["form"]),
            wanted,
            self.cleaned_data["with_names"],
            self.cleaned_data["with_byte_order_mark"],
        )
