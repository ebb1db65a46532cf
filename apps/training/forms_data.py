"""The first step of launching training: which data, and what to predict of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from apps.core.forms import PortalForm
from apps.training import proposals

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.datasets.models import DatasetVersion


class VersionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.dataset.title}, version {obj.number} ({obj.row_count:,} rows)"


class ExperimentChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class DataForm(PortalForm):
    """Step 1, sent by GET: the dataset version."""

    dataset_version = VersionChoice(
        queryset=None, label="Dataset version", empty_label="Choose …"
    )

    def __init__(self, *args: Any, versions: QuerySet[DatasetVersion], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.has_versions = versions.exists()
        self.fields["dataset_version"].queryset = versions  # type: ignore[attr-defined]


class TargetForm(DataForm):
    """Step 1 again, when the dataset version is known: of it the target."""

    target = forms.ChoiceField(
        label="What to predict",
        help_text="The column whose value the model shall find out from the others.",
    )

    def __init__(self, *args: Any, chosen: DatasetVersion, **kwargs: Any):
        super().__init__(*args, initial={"dataset_version": chosen}, **kwargs)
        self.chosen = chosen
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            ("", "Choose …"),
            *((name, name) for name in chosen.column_names),
        ]

    def clean_target(self) -> str:
        target: str = self.cleaned_data["target"]
        column = self.chosen.column_profile(target)
        if column is None or not proposals.tasks_for(column):
            raise forms.ValidationError(
                "This column has too few or too many values to be predicted."
            )
        return target
