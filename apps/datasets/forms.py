"""Forms of datasets and their versions."""

from django import forms

from apps.core.forms import PortalForm
from apps.datasets.models import DatasetFormat

FILE_HELP = (
    f"{' or '.join(DatasetFormat.labels)}; text in UTF-8 with a header line. The file "
    "is kept as it is; a worker reads it into typed columns."
)
ENDINGS = ",".join(f".{ending}" for ending in DatasetFormat.values)


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
        widget=forms.ClearableFileInput(attrs={"accept": ENDINGS}),
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
