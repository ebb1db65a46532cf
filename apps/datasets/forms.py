"""Forms of datasets and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from apps.core.forms import PortalForm
from apps.datasets.queries import proposed_key
from engine.spec import COMPRESSION_ENDINGS, FORMAT_ENDINGS

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


class VersionForm(PortalForm):
    file = forms.FileField(
        help_text=FILE_HELP,
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
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


class ImportVersionForm(PortalForm):
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
