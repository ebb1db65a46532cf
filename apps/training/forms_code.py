"""The form with which people send their own code."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from django import forms

from apps.core.forms import PortalForm
from apps.training.forms_data import ExperimentChoice, VersionChoice

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.datasets.models import DatasetVersion
    from apps.experiments.models import Experiment

MAX_PARAMETERS_CHARACTERS = 20_000


class CodeForm(PortalForm):
    submission_key = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(
        max_length=120, help_text="Of this job and of the run it becomes."
    )
    experiment = ExperimentChoice(queryset=None, empty_label=None)
    dataset_version = VersionChoice(
        queryset=None, label="Dataset version", empty_label="Choose …"
    )
    code = forms.FileField(
        label="Project",
        help_text="A zip or git bundle with project.yaml at its top. It says which "
        "function is called, entry: module:function, and which file locks the "
        "packages, requirements: requirements.txt.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,.bundle"}),
    )
    ref = forms.CharField(
        required=False,
        max_length=200,
        label="Branch or tag",
        help_text="Of a git bundle. Left empty, it is HEAD.",
    )
    parameters = forms.CharField(
        required=False,
        max_length=MAX_PARAMETERS_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text='What the function is given, as JSON, such as {"depth": 3}.',
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**32 - 1,
        initial=0,
        help_text="Given to the function, for whatever it draws by chance.",
    )

    def __init__(
        self,
        *args: Any,
        experiments: QuerySet[Experiment],
        versions: QuerySet[DatasetVersion],
    ) -> None:
        initial = {"submission_key": uuid.uuid4(), "experiment": experiments.first()}
        super().__init__(*args, initial=initial)
        self.fields["experiment"].queryset = experiments  # type: ignore[attr-defined]
        self.fields["dataset_version"].queryset = versions  # type: ignore[attr-defined]

    def clean_parameters(self) -> dict[str, Any]:
        try:
            given = json.loads(self.cleaned_data["parameters"] or "{}")
        except (ValueError, RecursionError):
            raise forms.ValidationError('This is not JSON, such as {"a": 1}.') from None
        if not isinstance(given, dict):
            raise forms.ValidationError('Give names and values, such as {"a": 1}.')
        return given

    def wish(self) -> dict[str, Any]:
        """Return what `launch_code` is asked for."""
        names = ("name", "ref", "parameters", "seed", "submission_key")
        return {name: self.cleaned_data[name] for name in names}
