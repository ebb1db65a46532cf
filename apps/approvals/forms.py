"""Forms of asking for an approval and of deciding on one."""

from typing import Any

from django import forms

from apps.approvals.models import MAX_COMMENT_CHARACTERS
from apps.core.forms import PortalForm


class RequestForm(PortalForm):
    message = forms.CharField(
        label="Message to the signers",
        max_length=MAX_COMMENT_CHARACTERS,
        required=False,
        widget=forms.Textarea,
        help_text="What changed since the last version, and what to look at first.",
    )


class DecisionForm(PortalForm):
    comment = forms.CharField(
        label="Comment",
        max_length=MAX_COMMENT_CHARACTERS,
        required=False,
        widget=forms.Textarea,
    )
    password = forms.CharField(
        label="Your password",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="Entered anew, so that the signature is yours.",
    )


class SignOffForm(DecisionForm):
    intent = forms.BooleanField()
    field_order = ("comment", "intent", "password")

    def __init__(self, *args: Any, meaning: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "intent"
        ].label = f"I have read the evidence and state: {meaning.lower()}."


class RejectForm(DecisionForm):
    comment = forms.CharField(
        label="Reason",
        max_length=MAX_COMMENT_CHARACTERS,
        widget=forms.Textarea,
        help_text="What the next version must do better. Everybody in the project "
        "reads it.",
    )
