"""What is written for people reads back as the same spec."""

from typing import get_args, get_type_hints

import pytest

from apps.training import launch_fields
from apps.training.launching import EXAMPLE
from apps.training.spec_text import parse_spec_text
from apps.training.spec_writing import line_of, spec_text
from engine.spec import Feature, Images, Preprocessing, Search, Split, TrainSpec

WORDS = ["yes", "no", "1", "1e5", "1.5", "010", "null", "~", "a: b", "# x", "'", '"']
WORDS += ["2020-01-01", "12:30", "", " ", "- x", "é\u2028", "{a}", "!x", "&x", "true"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_words_stay_words(word, form):
    spec = {"target": word, "features": [{"name": word, "kind": "number"}]}

    assert parse_spec_text(spec_text(spec, form)) == spec


@pytest.mark.parametrize("number", [0, -3, 10**20, 0.1, 1e-7, 1.5e300, 2.0])
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_numbers_stay_numbers(number, form):
    spec = {"parameters": {"C": number}}

    assert parse_spec_text(spec_text(spec, form)) == spec


def test_spec_text_follows_the_order_of_the_spec():
    text = spec_text({"limits": {}, "seed": 1, "task": "binary", "threads": 4}, "yaml")

    assert text == "task: binary\nseed: 1\nlimits: {}\n"


def test_spec_text_begins_with_its_title():
    assert spec_text({"seed": 1}, "yaml", title="A\nB").startswith("# A\n# B\nseed")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("search.trials", 3),
        ("features[1].kind", 6),
        ("features[9].kind", 4),
        ("search.unknown", 2),
        ("unknown", None),
    ],
)
def test_line_of_finds_the_deepest_part(path, line):
    text = "seed: 1\nsearch:\n  trials: 2\nfeatures:\n- {name: a}\n- {kind: b}\n"

    assert line_of(text, path) == line


def test_line_of_text_that_is_no_yaml():
    assert line_of("a: [", "a") is None


def test_the_example_is_a_spec():
    assert TrainSpec.from_json(parse_spec_text(EXAMPLE)).target == "damaged"


def allowed(kind, field: str) -> set[str]:
    return set(get_args(get_type_hints(kind)[field]))


def test_the_form_offers_what_the_spec_allows():
    assert set(launch_fields.SEARCH_TITLES) - {""} == allowed(Search, "method")
    assert set(launch_fields.SPLIT_TITLES) == allowed(Split, "method")
    assert set(launch_fields.MISSING_TITLES) == allowed(Preprocessing, "missing")
    assert set(launch_fields.CATEGORY_TITLES) == allowed(Preprocessing, "categories")
    assert set(launch_fields.SCALE_TITLES) == allowed(Preprocessing, "scale")
    assert set(launch_fields.CALIBRATION_TITLES) == allowed(TrainSpec, "calibration")
    assert set(launch_fields.IMAGE_TITLES) == allowed(Images, "method")
    assert set(launch_fields.KIND_TITLES) == allowed(Feature, "kind")
