"""Form fields of the settings of each estimator, drawn from the engine's catalogue."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html

from engine.spec import Estimator, Parameter


def field_name(estimator: Estimator, parameter: Parameter) -> str:
    """Name the field of one setting; two estimators may have settings of one name."""
    return f"{estimator.slug}__{parameter.name}"


def parameter_field(parameter: Parameter) -> forms.Field:
    """Draw the field that takes what the setting takes, with its help and its page."""
    words: dict[str, Any] = {
        "label": parameter.title,
        "help_text": _help(parameter),
        "initial": parameter.default,
        "required": False,
    }
    if parameter.kind == "choice":
        choices = [(choice, choice) for choice in parameter.choices]
        return forms.ChoiceField(choices=choices, **words)
    low, high = parameter.minimum, parameter.maximum
    if parameter.kind == "integer":
        return forms.IntegerField(min_value=int(low), max_value=int(high), **words)
    return forms.FloatField(min_value=low, max_value=high, **words)


def _help(parameter: Parameter) -> str:
    text = parameter.help
    if parameter.kind != "choice":
        text += f" From {parameter.minimum:g} to {parameter.maximum:g}."
    if not parameter.docs:
        return text
    return format_html(
        '{} <a href="{}" rel="noreferrer">Documentation'
        '<span class="usa-sr-only"> of {}</span></a>',
        text,
        parameter.docs,
        parameter.title,
    )
