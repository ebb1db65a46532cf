"""Forms of writing a policy and of putting it in force."""

from django import forms

from apps.approvals.models.policies import MAX_NOTE_CHARACTERS
from apps.approvals.policies import MOST_CHARACTERS
from apps.core.forms import PortalForm


class PolicyForm(PortalForm):
    text = forms.CharField(
        label="Policy, in YAML",
        max_length=MOST_CHARACTERS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false"}),
    )
    note = forms.CharField(
        label="What changed, and why",
        max_length=MAX_NOTE_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class EnactForm(PortalForm):
    reason = forms.CharField(
        label="Why now",
        max_length=MAX_NOTE_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Requests from now on are judged by it. Open requests and approvals "
        "keep the policy that they were made under.",
    )
    password = forms.CharField(
        label="Your password",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
