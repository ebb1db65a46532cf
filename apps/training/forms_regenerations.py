"""The form with which a run is done again."""

from __future__ import annotations

from django import forms

from apps.core.forms import PortalForm

LARGEST = 1e12


class RegenerationForm(PortalForm):
    """How much may differ; left empty, nothing may."""

    tolerance_predictions = forms.FloatField(
        label="Largest difference of a prediction",
        help_text="Of a probability, or of a predicted value in its own unit. Leave "
        "both empty to ask for equality byte for byte.",
        min_value=0,
        max_value=LARGEST,
        required=False,
    )
    tolerance_metrics = forms.FloatField(
        label="Largest difference of a measure",
        min_value=0,
        max_value=LARGEST,
        required=False,
    )

    @property
    def tolerance(self) -> dict[str, float] | None:
        """What may differ; None when nothing may. One empty field counts as 0."""
        given = {
            name: self.cleaned_data[f"tolerance_{name}"]
            for name in ("predictions", "metrics")
        }
        if all(value is None for value in given.values()):
            return None
        return {name: value or 0.0 for name, value in given.items()}
