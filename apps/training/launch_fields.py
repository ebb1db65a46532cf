"""The fields of the launch form that do not depend on the data, and their order.

What may be chosen is what the engine's spec allows; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.conf import settings

from apps.core.forms import PortalForm

GIBIBYTE = 1024**3
TASK_TITLES = {
    "binary": "Yes or no: one of two values",
    "multiclass": "Which one of several values",
    "regression": "How much: a number",
}
SEARCH_TITLES = {
    "": "No: take the settings as they are",
    "random": "At random",
    "grid": "Over an even grid",
    "halving": "Many on few rows, the better third of them on more (halving)",
    "tpe": "Each next one guided by those before (TPE)",
}
SPLIT_TITLES = {
    "random": "At random, with the same share of each class",
    "time": "By time: learn from the past, test on the future",
    "group": "By group: all rows of one group stay together",
}
MISSING_TITLES = {
    "auto": "As suits the kind of model",
    "median": "The median",
    "mean": "The mean",
    "most_frequent": "The most frequent value",
    "constant": "0",
}
CATEGORY_TITLES = {
    "auto": "As suits the kind of model",
    "one_hot": "A column for each value (one hot)",
    "ordinal": "A number for each value",
}
SCALE_TITLES = {
    "auto": "As suits the kind of model",
    "none": "Leave them as they are",
    "standard": "Mean 0 and deviation 1",
}
CALIBRATION_TITLES = {
    "none": "As the model gives them",
    "sigmoid": "Corrected by a curve (sigmoid); for few rows",
    "isotonic": "Corrected step by step (isotonic); for many rows",
}
IMAGE_TITLES = {
    "pixels": "Its pixels in grey, shrunk",
    "summary": "A summary of colours and edges",
}
KIND_TITLES = {
    "number": "number",
    "category": "category: equal or not",
    "date": "date",
    "text": "text: its words",
    "image": "image",
}


@dataclass(frozen=True)
class Section:
    """Fields that stand together behind one toggle.

    Args:
        title: on the toggle.
        lead: one sentence before the fields.
        names: of the fields.
    """

    title: str
    lead: str
    names: Sequence[str]


SECTIONS = (
    Section(
        "Try several settings",
        "By cross-validation on the training rows; the best is kept. A search ends "
        "with its number of settings or its minutes, whichever comes first.",
        ("search_method", "trials", "search_minutes", "folds"),
    ),
    Section(
        "Rows to learn from and to test on",
        "Test rows are used once, at the end.",
        ("split_method", "split_column", "test_ratio", "validation_ratio", "max_rows"),
    ),
    Section(
        "Preparation of columns",
        "Learned from the training rows only.",
        (
            "missing",
            "categories",
            "scale",
            "text_buckets",
            "image_method",
            "image_size",
        ),
    ),
    Section(
        "Classes and probabilities",
        "For what is rare, and for probabilities that mean what they say.",
        ("class_weight", "calibration", "refit"),
    ),
    Section(
        "Seed and limits",
        "The same seed gives the same model. What goes over a limit is stopped.",
        ("seed", "minutes", "memory_gib"),
    ),
)
# Where the form shows what is wrong with a field of the spec.
FIELD_OF_SPEC = {
    "search": "search_method",
    "search.trials": "trials",
    "search.folds": "folds",
    "search.minutes": "search_minutes",
    "split": "split_method",
    "split.method": "split_method",
    "split.column": "split_column",
    "split.validation_ratio": "validation_ratio",
    "preprocessing.text_buckets": "text_buckets",
    "images.size": "image_size",
    "limits.wall_seconds": "minutes",
    "limits.memory_bytes": "memory_gib",
    "cost": "by_mission_cost",
}


class LaunchFields(PortalForm):
    """Everything of step 2 but what the columns and the catalogue add."""

    submission_key = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(
        max_length=120, help_text="Of this training and of the run it becomes."
    )
    task = forms.ChoiceField(label="Kind of question", widget=forms.RadioSelect)
    positive_label = forms.ChoiceField(
        label="Value that counts as a case",
        help_text="The one you want to find: what an alarm is raised for.",
        required=False,
    )
    features = forms.MultipleChoiceField(
        label="Columns the model may look at",
        help_text="Leave out what is not known yet when the model is asked, and what "
        "gives the answer away.",
        widget=forms.CheckboxSelectMultiple,
    )
    objective = forms.ChoiceField(
        label="Objective",
        help_text="What the best settings are chosen by.",
        required=False,
    )
    by_mission_cost = forms.BooleanField(
        label="Choose the threshold by mission cost",
        help_text="By what the objective says a false alarm and a miss cost, on "
        "validation rows; otherwise it is 0.5.",
        required=False,
    )
    estimator = forms.ChoiceField(label="Kind of model", widget=forms.RadioSelect)
    search_method = forms.ChoiceField(
        label="Try several settings",
        choices=list(SEARCH_TITLES.items()),
        widget=forms.RadioSelect,
        required=False,
    )
    trials = forms.IntegerField(
        label="Settings to try at most", min_value=2, max_value=500, required=False
    )
    search_minutes = forms.FloatField(
        label="Minutes to try for at most",
        help_text="No new setting begins later than this. How many were tried is kept, "
        "so that the run can be repeated.",
        min_value=0.01,
        max_value=10_080,
        required=False,
    )
    folds = forms.IntegerField(
        label="Folds",
        help_text="Parts of the training rows, each held out once per setting.",
        min_value=2,
        max_value=10,
        required=False,
    )
    split_method = forms.ChoiceField(
        label="Divide the rows",
        choices=list(SPLIT_TITLES.items()),
        widget=forms.RadioSelect,
    )
    split_column = forms.ChoiceField(
        label="Column to divide by",
        help_text="The time of a row, or the group it belongs to.",
        required=False,
    )
    test_ratio = forms.FloatField(
        label="Share of rows held out for the test", min_value=0.05, max_value=0.5
    )
    validation_ratio = forms.FloatField(
        label="Share of the other rows held out for validation",
        help_text="The threshold is chosen on them.",
        min_value=0.05,
        max_value=0.5,
    )
    max_rows = forms.IntegerField(
        label="Rows to read at most",
        help_text="Of a larger dataset a sample is drawn. Empty reads all.",
        min_value=50,
        required=False,
    )
    missing = forms.ChoiceField(
        label="For a missing number take", choices=list(MISSING_TITLES.items())
    )
    categories = forms.ChoiceField(
        label="Turn categories into", choices=list(CATEGORY_TITLES.items())
    )
    scale = forms.ChoiceField(label="Scale numbers", choices=list(SCALE_TITLES.items()))
    text_buckets = forms.IntegerField(
        label="Numbers a text is counted into", min_value=8, max_value=4096
    )
    image_method = forms.ChoiceField(
        label="Of an image take", choices=list(IMAGE_TITLES.items())
    )
    image_size = forms.IntegerField(
        label="Pixels to shrink it to, each way", min_value=4, max_value=64
    )
    class_weight = forms.BooleanField(
        label="Give rare classes more weight", required=False
    )
    calibration = forms.ChoiceField(
        label="Probabilities", choices=list(CALIBRATION_TITLES.items())
    )
    refit = forms.BooleanField(
        label="Learn once more from training and validation rows together",
        help_text="After the threshold was chosen. More rows, but the threshold was "
        "chosen for the model before.",
        required=False,
    )
    seed = forms.IntegerField(label="Seed", min_value=0, max_value=2**32 - 1)
    minutes = forms.IntegerField(label="Time limit in minutes", min_value=1)
    memory_gib = forms.IntegerField(label="Memory limit in GiB", min_value=1)


def most_minutes() -> int:
    """How long a training may take."""
    return int(settings.JOB_WALL_SECONDS) // 60


def most_gibibytes() -> int:
    """How much memory a training may take."""
    return int(settings.JOB_MEMORY_BYTES) // GIBIBYTE
