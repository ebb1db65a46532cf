"""Forms about runs that come from elsewhere."""

from django import forms

from apps.core.forms import PortalForm


class RunFileForm(PortalForm):
    file = forms.FileField(
        label="File of the run",
        help_text="The zipped folder of an MLflow run, or JSON or CSV of parameters "
        "and metrics.",
        widget=forms.FileInput(attrs={"accept": ".zip,.json,.csv"}),
    )
