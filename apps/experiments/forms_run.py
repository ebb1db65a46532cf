"""Forms on the page of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from apps.core.forms import PortalForm
from apps.experiments.queries import metric_title
from apps.experiments.run_pictures import (
    MOST_PICTURES,
    MOST_TOGETHER,
    ChartChoice,
    chosen_keys,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import QueryDict

LONGEST_TAG_KEY = 250
LONGEST_TAG = LONGEST_RUN_NOTE = 8_000
LONGEST_EXPERIMENT_NOTE = 20_000
_ALONG = {"step": "Step", "time": "Time", "relative": "Time since the first point"}
_SCALES = {"linear": "Linear", "log": "Logarithmic"}
_WEIGHTS = {"0": "None", "0.6": "Light", "0.9": "Strong", "0.98": "Very strong"}


class ChartForm(PortalForm):
    """How the metrics of a run are drawn; it all stands in the address.

    What is not understood changes nothing, so that an old link still shows something.
    `every_metric` says whether the table of last values is whole.
    """

    x = forms.ChoiceField(label="Along", choices=list(_ALONG.items()))
    scale = forms.ChoiceField(choices=list(_SCALES.items()))
    smoothing = forms.ChoiceField(choices=list(_WEIGHTS.items()))
    together = forms.BooleanField(label="All in one picture", required=False)
    metric = forms.MultipleChoiceField(
        label="Metrics",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=f"Up to {MOST_PICTURES} pictures, or {MOST_TOGETHER} lines in one.",
    )

    def __init__(self, asked: QueryDict, *, offered: Sequence[str]) -> None:
        x = _one_of(_ALONG, asked.get("x"))
        scale = _one_of(_SCALES, asked.get("scale"))
        smoothing = _one_of(_WEIGHTS, asked.get("smoothing"))
        self.choice = ChartChoice(
            keys=asked.getlist("metric"),
            x=x,
            is_log=scale == "log",
            smoothing=float(smoothing),
            together="together" in asked,
        )
        self.every_metric = "every_metric" in asked
        self.drawn = chosen_keys(self.choice, offered)
        super().__init__(
            initial={
                "x": x,
                "scale": scale,
                "smoothing": smoothing,
                "together": self.choice.together,
                "metric": self.drawn,
            }
        )
        self.fields["metric"].choices = [  # type: ignore[attr-defined]
            (key, metric_title(key)) for key in offered
        ]


def _one_of(offered: Mapping[str, str], asked: str | None) -> str:
    return asked if asked in offered else next(iter(offered))  # type: ignore[return-value]


class TagForm(PortalForm):
    key = forms.CharField(label="Tag", max_length=LONGEST_TAG_KEY)
    value = forms.CharField(max_length=LONGEST_TAG, required=False)


class RunNoteForm(PortalForm):
    """A note in Markdown."""

    note = forms.CharField(
        max_length=LONGEST_RUN_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text="Markdown: # titles, **bold**, - lists, tables, links.",
    )

    def clean_note(self) -> str:
        """Give lines the ends that other clients write."""
        return str(self.cleaned_data["note"]).replace("\r\n", "\n")


class ExperimentNoteForm(RunNoteForm):
    note = forms.CharField(
        max_length=LONGEST_EXPERIMENT_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text="Markdown: # titles, **bold**, - lists, tables, links.",
    )
