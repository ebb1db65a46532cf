"""Forms of models and their versions."""

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.core.forms import PortalForm
from apps.registry.candidates import Candidate
from apps.registry.models import CARD_SECTIONS

HELP = {
    "intended_use": "Which decision it supports, for whom, and who acts on it.",
    "out_of_scope_use": "What it must not be used for.",
    "limitations": "Where it is weak: groups, seasons, missing values.",
    "human_oversight": "Who checks its answers, and how they overrule it.",
}


class RegisterForm(PortalForm):
    model_name = forms.CharField(max_length=255, label="Name of the model")
    description = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What the model does. Empty leaves the words of a known model.",
    )

    def __init__(
        self,
        *args: Any,
        known: Sequence[str],
        candidates: Sequence[Candidate],
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        if len(candidates) > 1:
            self.fields["part"] = forms.ChoiceField(
                choices=[(each.key, each.label) for each in candidates],
                label="What is registered",
                initial=candidates[0].key,
            )
            self.order_fields(["part"])
            self.dress()
        words = "As in MLflow: without / and :."
        if known:
            words += f" A name in use gets its next version: {', '.join(known)}."
        self.fields["model_name"].help_text = words


class CardForm(PortalForm):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name, title in CARD_SECTIONS.items():
            self.fields[name] = forms.CharField(
                label=title,
                max_length=20_000,
                required=False,
                help_text=HELP[name],
                widget=forms.Textarea(attrs={"rows": 6, "class": "usa-textarea"}),
            )
