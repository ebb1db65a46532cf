"""Forms of experiments."""

from django import forms

from apps.core.forms import PortalForm


class ExperimentForm(PortalForm):
    name = forms.CharField(max_length=120, help_text="The question you pursue.")
    description = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What you try, and how you will know that it worked.",
    )
