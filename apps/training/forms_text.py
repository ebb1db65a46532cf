"""Launching with a spec that somebody wrote, as YAML or JSON."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django import forms

from apps.core.errors import Invalid
from apps.core.forms import PortalForm
from apps.training.forms_data import ExperimentChoice, VersionChoice
from apps.training.spec_text import MOST_CHARACTERS, parse_spec_text
from apps.training.spec_writing import line_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from apps.datasets.models import DatasetVersion
    from apps.experiments.models import Experiment

OWN_FIELDS = frozenset({"name", "experiment", "dataset_version", "submission_key"})
MOST_BYTES = MOST_CHARACTERS * 4


class SpecTextForm(PortalForm):
    """The spec editor. A file that is given takes the place of the text."""

    submission_key = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(
        max_length=120, help_text="Of this training and of the run it becomes."
    )
    experiment = ExperimentChoice(queryset=None, empty_label=None)
    dataset_version = VersionChoice(
        queryset=None, label="Dataset version", empty_label="Choose …"
    )
    file = forms.FileField(
        label="Spec from a file",
        help_text="YAML or JSON; it takes the place of the text below.",
        required=False,
    )
    text = forms.CharField(
        label="Spec",
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 24, "spellcheck": "false", "wrap": "off", "data-lines": ""}
        ),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        files: Mapping[str, Any] | None,
        *,
        versions: QuerySet[DatasetVersion],
        experiments: QuerySet[Experiment],
        start: Mapping[str, Any] | None = None,
    ) -> None:
        first = {"submission_key": uuid.uuid4(), "experiment": experiments.first()}
        super().__init__(data, files, initial=first | dict(start or {}))
        self.fields["experiment"].queryset = experiments  # type: ignore[attr-defined]
        self.fields["dataset_version"].queryset = versions  # type: ignore[attr-defined]
        self.fields["text"].required = not (files and files.get("file"))
        self.has_experiment = experiments.exists()
        self.error_line: int | None = None
        self.spec: dict[str, Any] = {}

    def clean_file(self) -> str:
        file = self.cleaned_data["file"]
        if not file:
            return ""
        if file.size > MOST_BYTES:
            raise forms.ValidationError("This file is too long to be a spec.")
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise forms.ValidationError("This file is not text in UTF-8.") from error

    def clean(self) -> dict[str, Any]:
        """Read the text, or that of the file, which then stands in its place."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        text = given.get("file") or given.get("text") or ""
        if given.get("file"):
            self.data = {**dict(self.data.items()), "text": text}
        if "text" in self.errors or "file" in self.errors:
            return given
        given["text"] = text
        try:
            self.spec = parse_spec_text(text)
        except Invalid as error:
            self.add_error("text", error.message)
            self._point_at(error.message)
        return given

    def _point_at(self, message: str) -> None:
        word, _, rest = message.partition(" ")
        number = rest.partition(",")[0]
        if word == "Line" and number.isdecimal():
            self.error_line = int(number)

    @contextmanager
    def taking_faults(self) -> Iterator[None]:
        """Show what is wrong beside the text, naming line and field."""
        try:
            yield
        except Invalid as error:
            if not error.fields:
                self.add_error(None, error.message)
            for field, sentence in error.fields.items():
                if field in OWN_FIELDS:
                    self.add_error(field, sentence)
                else:
                    self.add_error("text", self._located(field, sentence))

    def _located(self, field: str, sentence: str) -> str:
        line = line_of(self.cleaned_data.get("text", ""), field)
        if line is None:
            return f"{field}: {sentence}"
        self.error_line = self.error_line or line
        return f"Line {line}, {field}: {sentence}"
