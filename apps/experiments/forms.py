"""Forms of experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from apps.core.forms import PortalForm
from apps.experiments.queries import main_keys, metric_title

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from django.http import QueryDict

    from apps.experiments.comparing import Comparison, Quantity

LONGEST_NAME = 500
MOST_AXES = 8
MOST_MAIN_AXES = 3
MOST_OFFERED = 200


class ExperimentForm(PortalForm):
    name = forms.CharField(max_length=120, help_text="The question you pursue.")
    description = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What you try, and how you will know that it worked.",
    )


class ExperimentName(PortalForm):
    name = forms.CharField(
        max_length=LONGEST_NAME, help_text="Scripts find the experiment by it."
    )


class TagForm(PortalForm):
    key = forms.CharField(label="Tag", max_length=250, help_text="Such as release.")
    value = forms.CharField(label="Value", max_length=8000, required=False)


class ComparisonForm(PortalForm):
    """What the figures of a comparison show; it all stands in the address.

    What an address asks for and these runs do not have is replaced by what the form
    proposes, so that an old link still shows something.
    """

    best = forms.ChoiceField(label="Best by", required=False)
    x = forms.ChoiceField(label="Scatter: across", required=False)
    y = forms.ChoiceField(label="Scatter: up", required=False)
    history = forms.ChoiceField(label="Metric over steps", required=False)
    axes = forms.MultipleChoiceField(
        label="Parallel coordinates",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=f"The first {MOST_AXES} of those you tick are drawn.",
    )

    def __init__(self, asked: QueryDict, *, compared: Comparison) -> None:
        # Parameters before metrics: what was tried leads to what came of it.
        found = sorted(compared.quantities(), key=lambda one: one.is_metric)
        self.quantities = {one.key: one for one in found}
        self.picked = self._pick(asked, compared)
        super().__init__(initial=self.picked)
        for name, offered in self._offers(compared).items():
            if offered:
                self.fields[name].choices = offered  # type: ignore[attr-defined]
            else:
                del self.fields[name]

    def _offers(self, compared: Comparison) -> dict[str, list[tuple[str, str]]]:
        numbers = [one for one in self.quantities.values() if one.is_number]
        drawn = {self.picked["x"], self.picked["y"]}
        across = _titled(_offered(numbers, drawn))
        axes = {*self.picked["axes"]}  # type: ignore[misc]
        stepped = _stepped(compared)
        kept = [k for k in stepped[MOST_OFFERED:] if k == self.picked["history"]]
        return {
            "best": [(key, metric_title(key)) for key in compared.judging_keys()],
            "x": across,
            "y": across,
            "history": [
                (key, metric_title(key)) for key in [*stepped[:MOST_OFFERED], *kept]
            ],
            "axes": _titled(_offered(list(self.quantities.values()), axes)),
        }

    def _pick(self, asked: QueryDict, compared: Comparison) -> dict[str, object]:
        numbers = [one.key for one in self.quantities.values() if one.is_number]
        judging = compared.judging_keys()
        best = _one_of(judging, asked.get("best"), judging[:1])
        differing = [one for one in self._differing() if one.is_number]
        across = [one.key for one in differing]
        # Metrics go up, unless there is none.
        up = [f"metric:{best}", *(one.key for one in differing if one.is_metric)]
        ticked = set(asked.getlist("axes"))
        axes = [key for key in self.quantities if key in ticked]
        return {
            "best": best,
            "x": _one_of(numbers, asked.get("x"), [*across, *numbers]),
            "y": _one_of(
                numbers, asked.get("y"), [k for k in [*up, *numbers] if k in numbers]
            ),
            "history": _one_of(
                _stepped(compared), asked.get("history"), _stepped(compared)
            ),
            "axes": (axes or self._proposed_axes(compared))[:MOST_AXES],
        }

    def _differing(self) -> list[Quantity]:
        return [one for one in self.quantities.values() if one.differs]

    def _proposed_axes(self, compared: Comparison) -> list[str]:
        main = [f"metric:{key}" for key in main_keys(compared.metrics)]
        metrics = [key for key in main if key in self.quantities][:MOST_MAIN_AXES]
        tried = [
            one.key
            for one in self._differing()
            if not one.is_metric and one.title != "seed"
        ]
        return [*tried[: MOST_AXES - len(metrics)], *metrics]

    def chosen_axes(self) -> list[Quantity]:
        """The quantities of the parallel coordinates, from top to bottom."""
        axes: list[str] = self.picked["axes"]  # type: ignore[assignment]
        return [self.quantities[key] for key in axes]


def _offered(quantities: list[Quantity], drawn: Container[object]) -> list[Quantity]:
    """Keep what is drawn, and as many others as fit: first those that differ."""
    ranked = sorted(quantities, key=lambda one: (one.key not in drawn, not one.differs))
    kept = {one.key for one in ranked[:MOST_OFFERED]}
    return [one for one in quantities if one.key in kept]


def _titled(quantities: Iterable[Quantity]) -> list[tuple[str, str]]:
    return [(one.key, one.title) for one in quantities]


def _stepped(compared: Comparison) -> list[str]:
    return [key for key in compared.metric_keys if compared.last_steps[key] > 0]


def _one_of(offered: list[str], asked: str | None, proposed: list[str]) -> str:
    if asked is not None and asked in offered:
        return asked
    return next(iter(proposed), "")
