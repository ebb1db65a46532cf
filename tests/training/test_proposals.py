"""What the launch form proposes."""

import pytest

from apps.training import proposals
from apps.training.forms_launch import LaunchForm
from tests.factories import training


def column(kind: str, distinct: int) -> dict:
    values = (
        [] if kind in {"date", "number", "image"} else [{"value": "a"}, {"value": "b"}]
    )
    found = {"name": "c", "type": kind, "distinct": distinct, "top": values}
    return {**found, "min": 0.0, "max": 1.0}


@pytest.mark.parametrize(
    ("kind", "distinct", "tasks"),
    [
        ("text", 1, []),
        ("text", 2, ["binary"]),
        ("boolean", 2, ["binary"]),
        ("integer", 2, ["binary"]),
        ("number", 2, ["binary"]),
        ("date", 2, []),
        ("text", 3, ["multiclass"]),
        ("text", 50, ["multiclass"]),
        ("text", 51, []),
        ("integer", 1, []),
        ("integer", 20, ["multiclass", "regression"]),
        ("integer", 21, ["regression"]),
        ("number", 4_000, ["regression"]),
        ("date", 300, []),
        ("image", 2, []),
        ("image", 900, []),
    ],
)
def test_tasks_for(kind, distinct, tasks):
    assert proposals.tasks_for(column(kind, distinct)) == tasks


def test_labels_of_names_the_rarer_value_first():
    words = {"type": "text", "top": [{"value": "no"}, {"value": "yes"}]}

    assert proposals.labels_of(words) == ["yes", "no"]
    assert proposals.labels_of(column("number", 2)) == ["1.0", "0.0"]


@pytest.mark.parametrize(
    ("kind", "distinct", "hint"),
    [
        ("text", 1, "has one value only"),
        ("text", 200, ""),
        ("text", 201, "has about 201 different values"),
        ("text", 5_000, "differs in every row, like a number of a case"),
        ("integer", 5_000, "differs in every row, like a number of a case"),
        ("number", 5_000, ""),
        ("date", 4_000, ""),
    ],
)
def test_features_for_says_what_is_better_left_out(
    project, data_scientist, kind, distinct, hint
):
    version = training.data(project, data_scientist)
    version.profile = {"columns": [column(kind, distinct)]}

    (feature,) = proposals.features_for(version, "damaged")

    assert feature.hint == hint
    assert feature.label.startswith("c – ")


@pytest.fixture
def images(project, data_scientist):
    """The columns that a zip of images becomes."""
    version = training.data(project, data_scientist)
    version.row_count = 900
    columns = [
        {**column("text", 900), "name": "file"},
        {**column("text", 2), "name": "label"},
        {**column("integer", 1), "name": "width"},
        {**column("image", 880), "name": "image"},
    ]
    version.profile = {"columns": columns}
    return version


def test_proposed_spec_learns_labels_of_images_from_the_images(images):
    spec = proposals.proposed_spec(images, "label", None)

    assert spec["task"] == "binary"
    assert spec["features"] == [{"name": "image", "kind": "image"}]


def test_launch_form_asks_how_images_become_numbers(images, project):
    experiments = project.experiments.all()

    form = LaunchForm(
        None, version=images, target="label", experiments=experiments, cost=None
    )

    assert {"image_method", "image_size"} <= set(form.fields)
    assert form.initial["features"] == ["image"]


def test_launch_form_asks_nothing_of_images_where_there_are_none(
    project, data_scientist
):
    version = training.data(project, data_scientist)
    experiments = project.experiments.all()

    form = LaunchForm(
        None, version=version, target="damaged", experiments=experiments, cost=None
    )

    assert "image_size" not in form.fields
