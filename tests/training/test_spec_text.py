"""Specs written by people: read strictly, refused with line and column."""

import pytest

from apps.core.errors import Invalid
from apps.training.spec_text import MOST_CHARACTERS, parse_spec_text

YAML = """
# Which strikes cause damage?
task: binary
target: damaged
positive_label: no      # a word, not false
features:
  - {name: speed, kind: number}
  - name: seen
    kind: date
parameters: {C: 1e-3, max_iter: 500, learning_rate: .5}
search:
class_weight: null
refit: true
since: 2020-01-01
code: 010
time: 12:30
"""


def test_parse_reads_yaml_as_people_mean_it() -> None:
    assert parse_spec_text(YAML) == {
        "task": "binary",
        "target": "damaged",
        "positive_label": "no",
        "features": [
            {"name": "speed", "kind": "number"},
            {"name": "seen", "kind": "date"},
        ],
        "parameters": {"C": 0.001, "max_iter": 500, "learning_rate": 0.5},
        "search": None,
        "class_weight": None,
        "refit": True,
        "since": "2020-01-01",
        "code": "010",
        "time": "12:30",
    }


def test_parse_reads_json_with_tabs_and_byte_order_mark() -> None:
    text = '\ufeff\n{\n\t"seed": 3, "cost": {"miss": 1.5}, "search": null}'

    assert parse_spec_text(text) == {"seed": 3, "cost": {"miss": 1.5}, "search": None}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a list of names"),
        ("- a\n- b", "must be a list of names"),
        ("seed: [1, 2", "Line 1, column"),
        ("a: 1\n  b: 2", "Line 2, column 4"),
        ("a: 1\nseed: 1\nseed: 2", 'Line 3, column 1: "seed" is given twice'),
        ("a: {b: 1, b: 2}", 'Line 1, column 11: "b" is given twice'),
        ("a: &x [1]\nb: *x", "Line 2, column 4: aliases"),
        ("? [a, b]\n: 1", "a name must be one word"),
        ("a: !!python/object/apply:os.system [ls]", "Line 1, column 4"),
        ("a: !!timestamp 2020-01-01", "Line 1, column 4: tags"),
        ("a: b\0", "Line 1, column 5: holds a character"),
        ("a: " + "[" * 50 + "]" * 50, "levels deep"),
        ('a: "b\\0"', "Line 1, column 4: holds a character"),
        ('"\\ud800": 1', "Line 1, column 1: holds a character"),
        ('a: "\\UFFFFFFFF"', "by a number that no character has"),
        ('a: "\\U00110000"', "by a number that no character has"),
        ('{"a": "\\u0000"}', "NUL character"),
        ('{"a": ["\\ud800"]}', "half of a character"),
        ('{"a":' * 50_000, "levels"),
        ('{"a": 1,}', "Line 1, column"),
        ('{"a": NaN}', "NaN, which is not a number"),
        ('{"a": 1, "a": 2}', '"a" twice'),
        ('{"a": ' + "9" * 5000 + "}", "cannot be read"),
        ("a" * (MOST_CHARACTERS + 1), "longer than 256 KiB"),
    ],
)
def test_parse_refuses(text: str, message: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_spec_text(text)

    assert message in str(refusal.value)
    assert message in refusal.value.fields["spec"]
