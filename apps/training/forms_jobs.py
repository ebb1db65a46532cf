"""Which training jobs of a project are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from apps.core.forms import PortalForm
from apps.jobs.models import JobStatus
from engine.spec import ESTIMATORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet

    from apps.datasets.models import Dataset
    from apps.training.models import TrainingJobQuerySet

ALL = ("", "All")
# Where each field of the filter looks.
LOOKUPS = {
    "search": "name__icontains",
    "status": "status",
    "launched_by": "launched_by",
    "estimator": "spec__estimator",
    "dataset": "dataset_version__dataset",
}


class DatasetChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.title)


class JobFilter(PortalForm):
    """Narrows a list of jobs; what is not understood narrows nothing."""

    search = forms.CharField(label="Name contains", max_length=120, required=False)
    status = forms.ChoiceField(choices=[ALL, *JobStatus.choices], required=False)
    launched_by = forms.ChoiceField(label="Launched by", required=False)
    estimator = forms.ChoiceField(
        label="Kind of model",
        choices=[ALL, *((e.slug, e.title) for e in ESTIMATORS.values())],
        required=False,
    )
    dataset = DatasetChoice(queryset=None, required=False, empty_label="All")

    def __init__(
        self,
        asked: Mapping[str, Any],
        *,
        people: Iterable[tuple[str, str]],
        datasets: QuerySet[Dataset],
    ) -> None:
        super().__init__(asked)
        self.fields["launched_by"].choices = [ALL, *people]  # type: ignore[attr-defined]
        self.fields["dataset"].queryset = datasets  # type: ignore[attr-defined]
        self.full_clean()

    def narrow(self, jobs: TrainingJobQuerySet) -> TrainingJobQuerySet:
        """Keep the jobs that were asked for."""
        given = {
            LOOKUPS[name]: value for name, value in self.cleaned_data.items() if value
        }
        return jobs.filter(**given)

    @property
    def is_narrow(self) -> bool:
        """Say whether something was asked for."""
        return any(self.cleaned_data.values())
