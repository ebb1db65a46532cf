"""The two steps of launching training: which data, then how to learn from it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings

from apps.core.forms import PortalForm
from apps.training import proposals
from engine.spec import ESTIMATORS, Estimator, Parameter

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.datasets.models import DatasetVersion
    from apps.experiments.models import Experiment

GIBIBYTE = 1024**3
TASK_TITLES = {
    "binary": "Yes or no: one of two values",
    "multiclass": "Which one of several values",
    "regression": "How much: a number",
}
DEFAULT_ESTIMATOR = "hist_gradient_boosting"


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


class LaunchForm(PortalForm):
    """Step 2: everything else, with fields drawn from the data and the catalogue."""

    submission_key = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(
        max_length=120, help_text="Of this training and of the run it becomes."
    )
    experiment = ExperimentChoice(queryset=None, empty_label=None)
    task = forms.ChoiceField(label="Kind of question", widget=forms.RadioSelect)
    positive_label = forms.ChoiceField(
        label="Value that counts as a case",
        help_text="The one you want to find: what an alarm is raised for.",
        required=False,
    )
    features = forms.MultipleChoiceField(
        label="Columns the model may look at",
        help_text="Leave out what is not known yet when the model is asked, and what "
        "gives the answer away.",
        widget=forms.CheckboxSelectMultiple,
    )
    estimator = forms.ChoiceField(label="Kind of model", widget=forms.RadioSelect)
    search = forms.BooleanField(
        label="Try several settings and keep the best",
        help_text="By cross-validation on the training rows; takes longer.",
        required=False,
    )
    trials = forms.IntegerField(
        label="Settings to try", min_value=2, max_value=50, initial=10, required=False
    )
    folds = forms.IntegerField(
        label="Folds", min_value=2, max_value=5, initial=3, required=False
    )
    class_weight = forms.BooleanField(
        label="Give rare classes more weight", required=False
    )
    by_mission_cost = forms.BooleanField(
        label="Choose the threshold by mission cost",
        help_text="By what the objective says a false alarm and a miss cost; "
        "otherwise it is 0.5.",
        required=False,
    )
    test_ratio = forms.FloatField(
        label="Share of rows held out for the test",
        min_value=0.05,
        max_value=0.5,
        initial=0.2,
    )
    seed = forms.IntegerField(
        label="Seed",
        help_text="The same seed gives the same model.",
        min_value=0,
        max_value=2**32 - 1,
        initial=0,
    )
    minutes = forms.IntegerField(label="Time limit in minutes", min_value=1)
    memory_gib = forms.IntegerField(label="Memory limit in GiB", min_value=1)

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        version: DatasetVersion,
        target: str,
        experiments: QuerySet[Experiment],
        cost: Mapping[str, float] | None,
    ) -> None:
        self.column = version.column_profile(target) or {}
        self.target, self.cost = target, cost
        self.has_experiment = experiments.exists()
        self.proposed = proposals.features_for(version, target)
        self.tasks = proposals.tasks_for(self.column)
        super().__init__(data, initial=self._first_values(experiments))
        self.fields["experiment"].queryset = experiments  # type: ignore[attr-defined]
        self._offer("task", ((task, TASK_TITLES[task]) for task in self.tasks))
        self._offer("features", ((f.name, f.label) for f in self.proposed))
        self._offer("estimator", ((e.slug, e.title) for e in self._estimators()))
        self._limit("minutes", settings.JOB_WALL_SECONDS // 60)
        self._limit("memory_gib", settings.JOB_MEMORY_BYTES // GIBIBYTE)
        if "binary" in self.tasks:
            labels = proposals.labels_of(self.column)
            self._offer("positive_label", ((label, label) for label in labels))
        else:
            del self.fields["positive_label"]
        if cost is None or "binary" not in self.tasks:
            del self.fields["by_mission_cost"]
        for estimator in self._estimators():
            for parameter in estimator.parameters:
                name = _field_name(estimator, parameter)
                self.fields[name] = _parameter_field(parameter)

    def _first_values(self, experiments: QuerySet[Experiment]) -> dict[str, Any]:
        return {
            "submission_key": uuid.uuid4(),
            "name": f"Predict {self.target}"[:120],
            "experiment": experiments.first(),
            "task": next(iter(self.tasks), None),
            "positive_label": next(iter(proposals.labels_of(self.column)), None),
            "features": [f.name for f in self.proposed if not f.hint],
            "estimator": DEFAULT_ESTIMATOR,
            "by_mission_cost": True,
            "minutes": min(10, settings.JOB_WALL_SECONDS // 60),
            "memory_gib": settings.JOB_MEMORY_BYTES // GIBIBYTE,
        }

    def _offer(self, field: str, choices: Iterable[tuple[str, str]]) -> None:
        self.fields[field].choices = list(choices)  # type: ignore[attr-defined]

    def _limit(self, field: str, most: int) -> None:
        self.fields[field] = forms.IntegerField(
            label=self.fields[field].label,
            help_text=f"At most {most}.",
            min_value=1,
            max_value=most,
            widget=forms.NumberInput(attrs={"class": "usa-input"}),
        )

    def _estimators(self) -> list[Estimator]:
        return [e for e in ESTIMATORS.values() if set(e.tasks) & set(self.tasks)]

    def estimator_cards(self) -> Iterator[dict[str, Any]]:
        """Yield each estimator with its radio button and the fields of its settings."""
        for choice in self["estimator"].subwidgets:
            estimator = ESTIMATORS[choice.data["value"]]
            names = [_field_name(estimator, p) for p in estimator.parameters]
            yield {
                "choice": choice,
                "estimator": estimator,
                "fields": [self[name] for name in names],
            }

    def spec(self) -> dict[str, Any]:
        """Give what was filled in as `engine.spec.TrainSpec` takes it."""
        given = self.cleaned_data
        kinds = {feature.name: feature.kind for feature in self.proposed}
        is_binary = given["task"] == "binary"
        return {
            "task": given["task"],
            "target": self.target,
            "positive_label": (given["positive_label"] or None) if is_binary else None,
            "features": [{"name": n, "kind": kinds[n]} for n in given["features"]],
            "estimator": given["estimator"],
            "parameters": self._parameters(),
            "search": self._search(),
            "class_weight": "balanced" if given["class_weight"] else None,
            "test_ratio": given["test_ratio"],
            "seed": given["seed"],
            "cost": self.cost if given.get("by_mission_cost") and is_binary else None,
            "limits": {
                "wall_seconds": given["minutes"] * 60,
                "memory_bytes": given["memory_gib"] * GIBIBYTE,
            },
        }

    def _parameters(self) -> dict[str, Any]:
        estimator = ESTIMATORS[self.cleaned_data["estimator"]]
        given = {
            parameter.name: self.cleaned_data[_field_name(estimator, parameter)]
            for parameter in estimator.parameters
        }
        return {name: value for name, value in given.items() if value not in (None, "")}

    def _search(self) -> dict[str, Any] | None:
        given = self.cleaned_data
        if not given["search"]:
            return None
        trials, folds = given["trials"] or 10, given["folds"] or 3
        return {"method": "random", "trials": trials, "folds": folds}


def _field_name(estimator: Estimator, parameter: Parameter) -> str:
    return f"{estimator.slug}__{parameter.name}"


def _parameter_field(parameter: Parameter) -> forms.Field:
    words: dict[str, Any] = {
        "label": parameter.title,
        "help_text": parameter.help,
        "initial": parameter.default,
        "required": False,
    }
    if parameter.kind == "choice":
        select = forms.Select(attrs={"class": "usa-select"})
        choices = [(choice, choice) for choice in parameter.choices]
        return forms.ChoiceField(choices=choices, widget=select, **words)
    words["widget"] = forms.NumberInput(attrs={"class": "usa-input", "step": "any"})
    low, high = parameter.minimum, parameter.maximum
    if parameter.kind == "integer":
        return forms.IntegerField(min_value=int(low), max_value=int(high), **words)
    return forms.FloatField(min_value=low, max_value=high, **words)
