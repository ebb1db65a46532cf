"""The second step of launching training: how to learn, drawn from data and catalogue.

The form begins with a spec and gives a spec back, so that a template, an earlier job
and a text can all be opened in it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django import forms

from apps.core.errors import Invalid
from apps.training import proposals
from apps.training.form_parameters import field_name, parameter_field
from apps.training.form_spec import form_values, spec_of_form
from apps.training.forms_data import ExperimentChoice
from apps.training.launch_fields import (
    FIELD_OF_SPEC,
    KIND_TITLES,
    SECTIONS,
    TASK_TITLES,
    LaunchFields,
    most_gibibytes,
    most_minutes,
)
from engine.spec import ESTIMATORS, MISSION_COST, Estimator, measures_for

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.datasets.models import DatasetVersion
    from apps.experiments.models import Experiment


class LaunchForm(LaunchFields):
    """Step 2, with the columns of the data and the settings of each estimator.

    Args:
        data: what was sent, if it was.
        version: of the data.
        target: a column of it that can be learned.
        experiments: to choose from.
        cost: of errors, as the project states it.
        start: the values to begin with: a spec, and `name` and `experiment` if known.
    """

    experiment = ExperimentChoice(queryset=None, empty_label=None)

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        version: DatasetVersion,
        target: str,
        experiments: QuerySet[Experiment],
        cost: Mapping[str, float] | None,
        start: Mapping[str, Any] | None = None,
    ) -> None:
        self.version, self.target, self.cost = version, target, cost
        self.has_experiment = experiments.exists()
        self.proposed = proposals.features_for(version, target)
        self.tasks = proposals.tasks_for(version.column_profile(target) or {})
        proposed = form_values(proposals.proposed_spec(version, target, cost))
        started = dict(start or {})
        spec = started.pop("spec", None)
        values = form_values(spec) if spec else proposed
        super().__init__(
            data, initial=self._first_values(experiments) | values | started
        )
        self.usual = proposed
        self.fields["experiment"].queryset = experiments  # type: ignore[attr-defined]
        self._offer_columns()
        self._offer_classes()
        self._offer_estimators()
        self._limit("minutes", most_minutes())
        self._limit("memory_gib", most_gibibytes())
        self.dress()

    def _first_values(self, experiments: QuerySet[Experiment]) -> dict[str, Any]:
        return {
            "submission_key": uuid.uuid4(),
            "name": f"Predict {self.target}"[:120],
            "experiment": experiments.first(),
        }

    def _offer(self, field: str, choices: Iterable[tuple[str, str]]) -> None:
        self.fields[field].choices = list(choices)  # type: ignore[attr-defined]

    def _offer_columns(self) -> None:
        self._offer("task", ((task, TASK_TITLES[task]) for task in self.tasks))
        self._offer("features", ((f.name, f.label) for f in self.proposed))
        others = [one.name for one in self.proposed]
        times = [n for n in proposals.time_columns(self.version) if n in others]
        rest = [name for name in others if name not in times]
        self._offer("split_column", [("", "None"), *((n, n) for n in (*times, *rest))])
        for place, feature in enumerate(self.proposed):
            if len(feature.kinds) > 1:
                self.fields[f"kind_{place}"] = forms.ChoiceField(
                    label=feature.name,
                    choices=[(kind, KIND_TITLES[kind]) for kind in feature.kinds],
                    initial=self.initial["kinds"].get(feature.name, feature.kind),
                )
        kinds = {kind for feature in self.proposed for kind in feature.kinds}
        self._drop("text" not in kinds, "text_buckets")
        self._drop("image" not in kinds, "image_method", "image_size")

    def _offer_classes(self) -> None:
        column = self.version.column_profile(self.target) or {}
        is_binary = "binary" in self.tasks
        if is_binary:
            labels = proposals.labels_of(column)
            self._offer("positive_label", ((label, label) for label in labels))
        by_cost = self.cost is not None and is_binary
        self._drop(not is_binary, "positive_label")
        self._drop(not by_cost, "by_mission_cost")
        self._drop(self.tasks == ["regression"], "class_weight", "calibration")
        measures = {one.slug: one for task in self.tasks for one in measures_for(task)}
        offered = [
            (one.slug, one.title) for one in measures.values() if one.unit != "cost"
        ]
        first = [(MISSION_COST, "Mission cost")] if by_cost else []
        self._offer("objective", [*first, ("", "The usual measure"), *offered])

    def _offer_estimators(self) -> None:
        self._offer("estimator", ((e.slug, e.title) for e in self._estimators()))
        given = self.initial["parameters"]
        for estimator in self._estimators():
            is_chosen = estimator.slug == self.initial["estimator"]
            for parameter in estimator.parameters:
                name = field_name(estimator, parameter)
                self.fields[name] = parameter_field(parameter)
                if is_chosen and parameter.name in given:
                    self.initial[name] = given[parameter.name]

    def _drop(self, is_useless: bool, *names: str) -> None:
        for name in names if is_useless else ():
            del self.fields[name]

    def _limit(self, field: str, most: int) -> None:
        self.fields[field] = forms.IntegerField(
            label=self.fields[field].label,
            help_text=f"At most {most}.",
            min_value=1,
            max_value=most,
        )

    def _estimators(self) -> list[Estimator]:
        return [e for e in ESTIMATORS.values() if set(e.tasks) & set(self.tasks)]

    def estimator_cards(self) -> Iterator[dict[str, Any]]:
        """Yield each estimator with its radio button and the fields of its settings."""
        for choice in self["estimator"].subwidgets:
            estimator = ESTIMATORS[choice.data["value"]]
            names = [field_name(estimator, p) for p in estimator.parameters]
            yield {
                "choice": choice,
                "estimator": estimator,
                "fields": [self[name] for name in names],
                "is_open": any(self._is_unusual(name) for name in names),
            }

    def kind_fields(self) -> list[Any]:
        """Fields that say how columns are read, where there is a choice."""
        return [self[name] for name in self.fields if name.startswith("kind_")]

    def kinds_are_open(self) -> bool:
        """Say whether some column is not read in its usual way."""
        return any(self._is_unusual(field.name) for field in self.kind_fields())

    def sections(self) -> Iterator[dict[str, Any]]:
        """Yield what stands behind toggles, open where it is not as usual."""
        for section in SECTIONS:
            names = [name for name in section.names if name in self.fields]
            yield {
                "title": section.title,
                "lead": section.lead,
                "fields": [self[name] for name in names],
                "is_open": any(self._is_unusual(name) for name in names),
            }

    def _is_unusual(self, name: str) -> bool:
        if name in self.errors:
            return True
        usual = self.usual.get(name, self.fields[name].initial)
        return _plain(self[name].value()) != _plain(usual)

    def spec(self) -> dict[str, Any]:
        """Give what was filled in as `engine.spec.TrainSpec` takes it."""
        given = self.cleaned_data
        kinds = {
            feature.name: given.get(f"kind_{place}") or feature.kind
            for place, feature in enumerate(self.proposed)
        }
        estimator = ESTIMATORS[given["estimator"]]
        parameters = {
            parameter.name: given[field_name(estimator, parameter)]
            for parameter in estimator.parameters
        }
        return spec_of_form(
            {
                **given,
                "target": self.target,
                "kinds": kinds,
                "cost": self.cost,
                "parameters": {
                    name: value
                    for name, value in parameters.items()
                    if value not in (None, "")
                },
            }
        )

    @contextmanager
    def taking_faults(self) -> Iterator[None]:
        """Show what is wrong with the spec beside the fields it was made from."""
        with super().taking_faults():
            try:
                yield
            except Invalid as error:
                fields = {self._field(k): v for k, v in error.fields.items()}
                raise Invalid(error.message, fields=fields) from error

    def _field(self, of_spec: str) -> str:
        if of_spec.startswith("parameters."):
            estimator = self.cleaned_data["estimator"]
            return f"{estimator}__{of_spec.removeprefix('parameters.')}"
        name = of_spec.partition("[")[0]
        return FIELD_OF_SPEC.get(name, name)


def _plain(value: object) -> str:
    """Write what a field holds, whether from a spec or from a browser, in one way."""
    if value is None or value is False:
        return ""
    return "on" if value is True else str(value)
