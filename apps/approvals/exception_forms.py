"""Forms of statements on practices, waivers and emergencies."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django import forms

from apps.accounts.actions import WrongPassword
from apps.accounts.models import User
from apps.approvals.forms import DecisionForm, ReasonForm
from apps.approvals.models import (
    MAX_COMMENT_CHARACTERS,
    Ground,
    PracticeState,
    Reported,
)
from apps.approvals.policies import EmergencyPolicy
from apps.approvals.practices import practices
from apps.core.forms import PortalForm
from apps.core.http import HtmxRequest


@contextmanager
def taking_signature_faults(request: HtmxRequest, form: PortalForm) -> Iterator[None]:
    """Show beside the fields what an action found wrong, a wrong password included.

    A view returns from inside the block when the action went well.
    """
    with form.taking_faults():
        try:
            yield
        except WrongPassword as error:
            # Shown beside the field; the middleware records it as a refusal.
            form.add_error("password", error.message)
            request.portal_error = error  # type: ignore[attr-defined]


def _day_field(**kwargs: Any) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), **kwargs)


class PracticeForm(PortalForm):
    """How a version stands with one practice."""

    practice = forms.ChoiceField(label="Practice")
    state = forms.ChoiceField(
        label="How it stands",
        choices=[("", "Choose"), *PracticeState.choices],
        help_text="What is waived is granted by the AI official, not stated here.",
    )
    text = forms.CharField(
        label="What shows it, or why it does not apply",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    links = forms.CharField(
        label="Addresses of reports, cards and documents",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line, beginning with https:// or /.",
    )
    owner = forms.ChoiceField(
        label="Who finishes it", required=False, help_text="Only for work in progress."
    )
    due_on = _day_field(
        label="By when", required=False, help_text="Only for work in progress."
    )

    def __init__(self, *args: Any, owners: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._owners = {str(owner.pk): owner for owner in owners}
        self.fields["practice"].choices = [  # type: ignore[attr-defined]
            ("", "Choose"),
            *(
                (one.slug, f"{one.section}. {one.title}")
                for one in practices().values()
            ),
        ]
        self.fields["owner"].choices = [  # type: ignore[attr-defined]
            ("", "Choose a person"),
            *((key, owner.full_name) for key, owner in self._owners.items()),
        ]

    @property
    def said(self) -> dict[str, Any]:
        """What a valid form says, as the action takes it."""
        given = self.cleaned_data
        return {
            **given,
            "links": given["links"].splitlines(),
            "owner": self._owners.get(given["owner"]),
        }


class WaiverForm(PortalForm):
    """A waiver, signed with the password entered anew."""

    practices = forms.MultipleChoiceField(
        label="Practices that are waived", widget=forms.CheckboxSelectMultiple
    )
    ground = forms.ChoiceField(
        label="Ground", choices=Ground.choices, widget=forms.RadioSelect
    )
    finding = forms.CharField(
        label="What the assessment of this use found",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea,
        help_text="Written for this system and its setting, not in general.",
    )
    public_summary = forms.CharField(
        label="What the public reads",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="A summary and the justification in plain language.",
    )
    expires_on = _day_field(
        label="Last day",
        help_text="A year ahead at the most; then it is assessed anew.",
    )
    intent = forms.BooleanField(
        label="I have read the assessment and mean to waive these practices."
    )
    password = DecisionForm.base_fields["password"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["practices"].choices = [  # type: ignore[attr-defined]
            (one.slug, f"{one.section}. {one.title}") for one in practices().values()
        ]


class RevokeWaiverForm(ReasonForm):
    """The end of a waiver before its day."""


class WaiverReportForm(PortalForm):
    """That something was reported to OMB."""

    what = forms.ChoiceField(choices=Reported.choices, widget=forms.HiddenInput)
    reported_on = _day_field(label="Reported on")
    reference = forms.CharField(label="Number or address of the report", max_length=200)


class DeclareForm(DecisionForm):
    """An emergency approval, signed with the password entered anew."""

    comment = forms.CharField(
        label="What the emergency is",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea,
        help_text="Why it cannot wait for the ordinary signatures.",
    )
    hours = forms.IntegerField(
        label="Hours until it must be confirmed",
        min_value=1,
        initial=24,
    )
    intent = forms.BooleanField(
        label="I have read the evidence and approve this version for an emergency."
    )
    field_order = ("comment", "hours", "intent", "password")

    def __init__(self, *args: Any, terms: EmergencyPolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hours"].help_text = (
            f"1 to {terms.most_hours}. Not confirmed by {terms.confirmations} others, "
            "it lapses then."
        )


class ConfirmForm(DecisionForm):
    """A confirmation of an emergency approval."""

    comment = forms.CharField(
        label="On what you confirm it",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea,
    )
    intent = forms.BooleanField(
        label="I have read the evidence and confirm the emergency."
    )
    field_order = ("comment", "intent", "password")
