"""The form in which a validation plan is written."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField

from apps.core.errors import Invalid
from apps.core.forms import PortalForm
from apps.validation.criteria import OPERATOR_WORDS, OPERATORS
from engine.spec import FAMILIES, PROMISES, CheckKind, Measure, family_of

MIN_ROWS = 8
SPARE_ROWS = 2


class CriterionRow(NamedTuple):
    """The controls of one criterion."""

    measure: BoundField
    threshold: BoundField
    blocking: BoundField


@dataclass(frozen=True)
class PlanChoices:
    """What can be promised of a model, and compared with.

    Attributes:
        columns: by which results can be told apart.
        versions: numbers of those with which versions can be compared.
        has_sealed_rows: whether the data of the model has any.
    """

    measures: Sequence[Measure | CheckKind]
    columns: Sequence[str]
    versions: Sequence[int] = ()
    has_sealed_rows: bool = False


class PlanForm(PortalForm):
    """Rows of criteria, of which empty ones count nothing, and the columns.

    The direction belongs to the measure and stands in its name: nobody can promise a
    recall of *at most* something.
    """

    subgroup_columns = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Tell results apart by",
        help_text="The report shows how the model does in each group of these columns.",
    )
    sealed_decides = forms.BooleanField(
        required=False,
        label="Only a report on the sealed rows makes a version validated",
    )
    champion = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        label="Compare with",
    )
    reason = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Reason",
        help_text="Why these criteria; the audit trail keeps it.",
    )

    def __init__(
        self,
        data: Any = None,
        *,
        choices: PlanChoices,
        criteria: Sequence[Mapping[str, Any]],
        needs_reason: bool,
        **kwargs: Any,
    ) -> None:
        self.measures = choices.measures
        self.row_count = max(MIN_ROWS, len(criteria) + SPARE_ROWS)
        initial = kwargs.pop("initial", {}) | _row_values(criteria)
        super().__init__(data, initial=initial, **kwargs)
        for place in range(self.row_count):
            self.fields |= _row_fields(place, choices.measures)
        self.fields["reason"].required = needs_reason
        columns: Any = self.fields["subgroup_columns"]
        columns.choices = [(name, name) for name in choices.columns]
        if not choices.has_sealed_rows:
            self.fields["sealed_decides"].disabled = True
            self.fields["sealed_decides"].help_text = "The data has no sealed rows."
        champions: Any = self.fields["champion"]
        champions.choices = [
            ("", "Whoever is champion when a report is asked for"),
            *((number, f"Version {number}") for number in choices.versions),
        ]

    def rows(self) -> list[CriterionRow]:
        """The controls of each criterion, in order."""
        return [
            CriterionRow(*(self[f"{name}_{place}"] for name in CriterionRow._fields))
            for place in range(self.row_count)
        ]

    def clean(self) -> dict[str, Any]:
        for place in range(self.row_count):
            measure, threshold = (f"measure_{place}", f"threshold_{place}")
            values = self.cleaned_data
            if values.get(measure) and values.get(threshold, 0) is None:
                self.add_error(threshold, "Give the threshold.")
            if values.get(threshold) is not None and not values.get(measure, "x"):
                self.add_error(measure, "Choose a measure, or empty the threshold.")
        return self.cleaned_data

    def _filled_places(self) -> list[int]:
        values = self.cleaned_data
        return [n for n in range(self.row_count) if values.get(f"measure_{n}")]

    def criteria(self) -> list[dict[str, Any]]:
        """The criteria as the action takes them."""
        values = self.cleaned_data
        return [
            {
                "measure": values[f"measure_{place}"],
                "operator": OPERATORS[PROMISES[values[f"measure_{place}"]].better],
                "threshold": values[f"threshold_{place}"],
                "blocking": values[f"blocking_{place}"],
            }
            for place in self._filled_places()
        ]

    @contextmanager
    def taking_faults(self) -> Iterator[None]:
        """Bring faults of `criteria[n].field` to the row that was its source."""
        with super().taking_faults():
            try:
                yield
            except Invalid as error:
                moved = {self._own_name(name): s for name, s in error.fields.items()}
                raise Invalid(error.message, fields=moved) from error

    def _own_name(self, name: str) -> str:
        found = re.fullmatch(r"criteria\[(\d+)\]\.(\w+)", name)
        if not found:
            return name
        field = "measure" if found[2] == "operator" else found[2]
        return f"{field}_{self._filled_places()[int(found[1])]}"


def _row_fields(
    place: int, measures: Sequence[Measure | CheckKind]
) -> dict[str, forms.Field]:
    number = place + 1
    choices: list[Any] = [("", "– none –"), *_by_family(measures)]
    return {
        f"measure_{place}": forms.ChoiceField(
            choices=choices,
            required=False,
            label=f"Measure of criterion {number}",
            widget=forms.Select(attrs={"class": "usa-select"}),
        ),
        f"threshold_{place}": forms.FloatField(
            required=False,
            label=f"Threshold of criterion {number}",
            widget=forms.NumberInput(attrs={"class": "usa-input", "step": "any"}),
        ),
        f"blocking_{place}": forms.BooleanField(
            required=False,
            label=f"Criterion {number} must hold",
            widget=forms.CheckboxInput(attrs={"class": "usa-checkbox__input"}),
        ),
    }


def _by_family(
    measures: Sequence[Measure | CheckKind],
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Group what can be promised under the titles of its families."""
    found: dict[str, list[tuple[str, str]]] = {}
    for measure in measures:
        title = FAMILIES[family_of(measure.slug)]
        found.setdefault(title, []).append((measure.slug, _said(measure)))
    return [(title, found[title]) for title in FAMILIES.values() if title in found]


def _row_values(criteria: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        f"{name}_{place}": criterion[name]
        for place, criterion in enumerate(criteria)
        for name in ("measure", "threshold", "blocking")
    }


def _said(measure: Measure | CheckKind) -> str:
    return f"{measure.title}: {OPERATOR_WORDS[OPERATORS[measure.better]]}"
