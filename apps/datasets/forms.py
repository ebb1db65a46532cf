"""Forms of datasets and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from apps.core.forms import PortalForm
from apps.datasets.models import MOST_LOOKS
from apps.datasets.queries import proposed_key
from apps.datasets.sealing import DEFAULT_RATIO, METHODS, seal_in
from engine.spec import (
    COMPRESSION_ENDINGS,
    FORMAT_ENDINGS,
    HIGHEST_RATIO,
    LOWEST_RATIO,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.datasets.models import DatasetVersion

FILE_HELP = (
    "CSV or TSV in UTF-8 with a header line, JSON Lines (all three also packed as .gz, "
    ".zst, .bz2 or .xz), Parquet, Arrow, or a zip archive of images in a folder for "
    "each label or with a labels.csv (columns file and label). It is kept as it is; a "
    "worker reads it into typed columns."
)
ACCEPTED = ",".join(f".{ending}" for ending in (*FORMAT_ENDINGS, *COMPRESSION_ENDINGS))


class DatasetForm(PortalForm):
    title = forms.CharField(max_length=120, help_text="As people call it.")
    description = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Where the data comes from, and what one row is.",
    )


class SealFields(PortalForm):
    """How rows are put aside when a file is read; without a method none are."""

    seal_method = forms.ChoiceField(
        choices=[("", "None"), *METHODS.items()],
        required=False,
        label="Rows to seal",
        help_text="Sealed rows are read by workers only, to measure models; every use "
        "is counted. Nobody can take them out again, and the file as uploaded can no "
        "longer be downloaded.",
    )
    seal_ratio = forms.FloatField(
        min_value=LOWEST_RATIO,
        max_value=HIGHEST_RATIO,
        required=False,
        initial=DEFAULT_RATIO,
        label="Share of the rows to seal",
        help_text="0.2 is one row in five.",
    )
    seal_column = forms.CharField(
        max_length=255,
        required=False,
        label="Column to seal by",
        help_text="As the header of the file has it; not for rows at random.",
    )
    seal_seed = forms.IntegerField(
        min_value=0,
        max_value=2**32 - 1,
        required=False,
        initial=0,
        label="Seed of the choice",
        help_text="The same file and seed always seal the same rows.",
    )

    def seal(self) -> dict[str, Any] | None:
        """What was chosen, as the action takes it."""
        return seal_in(self.cleaned_data)


class FileForm(PortalForm):
    file = forms.FileField(
        help_text=FILE_HELP,
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
    )


class VersionForm(SealFields, FileForm):
    field_order = ["file"]


class BudgetForm(PortalForm):
    looks = forms.IntegerField(
        min_value=0,
        max_value=MOST_LOOKS,
        help_text="Of each model, all its versions together, at the sealed rows of one "
        "dataset. Each look teaches a little about them, so few keep the test honest.",
    )
    reason = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why this many; the audit trail keeps it.",
    )


class NamedForm(DatasetForm):
    name = forms.SlugField(
        max_length=60,
        label="Short name",
        help_text="Stands in files and the API, such as strikes-2024. A name in use "
        "gets the file as its next version.",
    )
    field_order = ["title", "name", "description", "file"]


class NewDatasetForm(NamedForm, VersionForm): ...


class ImportVersionForm(SealFields):
    source = forms.CharField(max_length=60, widget=forms.HiddenInput)
    path = forms.CharField(max_length=1000, strip=False, widget=forms.HiddenInput)


class ImportDatasetForm(NamedForm, ImportVersionForm): ...


class DiffForm(PortalForm):
    """Which two versions are compared, and by which columns."""

    before_number = forms.TypedChoiceField(label="From", coerce=int)
    after_number = forms.TypedChoiceField(label="To", coerce=int)
    key = forms.MultipleChoiceField(
        label="Rows are told apart by",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="With none, whole rows are compared and no row counts as changed.",
    )

    def __init__(
        self,
        data: Any = None,
        *,
        numbers: Sequence[int],
        pair: tuple[DatasetVersion, DatasetVersion],
    ) -> None:
        """Offer the versions with these `numbers`; `pair` is chosen now."""
        super().__init__(data)
        before, after = pair
        known = set(before.column_names)
        both = [name for name in after.column_names if name in known]
        self._offer("before_number", numbers, before.number)
        self._offer("after_number", numbers, after.number)
        self._offer("key", both, proposed_key(before, after))

    def _offer(self, name: str, values: Sequence[Any], initial: Any) -> None:
        field: Any = self.fields[name]
        is_number = name != "key"
        field.choices = [(v, f"Version {v}" if is_number else v) for v in values]
        field.initial = initial
