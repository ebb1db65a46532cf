"""How events read in words."""

import pytest

from apps.audit.templatetags import audit

LONG = "Send crews to the aircraft that need them, before the next flight of the day."


def texts(pieces) -> list[tuple[str, bool]]:
    return [(piece.text, piece.differs) for piece in pieces]


@pytest.mark.parametrize(
    ("value", "before", "after"),
    [
        (["draft", "validated"], "draft", "validated"),
        ([None, "validator"], "nothing", "validator"),
        ([["auditor"], []], "auditor", "nothing"),
        ([True, False], "yes", "no"),
        ([1, 2], "1", "2"),
    ],
)
def test_short_sides_stand_in_a_line(value, before, after):
    [change] = audit.sides({"due_on": value})

    assert (change.field, change.is_long) == ("Due on", False)
    assert texts(change.before) == [(before, False)]
    assert texts(change.after) == [(after, False)]


def test_what_differs_in_long_texts_is_marked():
    [change] = audit.sides({"mission": [LONG, LONG.replace("crews", "two crews")]})

    assert change.is_long
    assert not [text for text, differs in texts(change.before) if differs]
    assert [text for text, differs in texts(change.after) if differs] == ["two"]


def test_the_longest_texts_are_not_compared():
    longest = " ".join(map(str, range(audit.MOST_WORDS)))

    [change] = audit.sides({"card": [longest, LONG]})

    assert texts(change.before) == [(longest, False)]


@pytest.mark.parametrize("value", [["same", "same"], [None, ""], [[], None]])
def test_what_did_not_change_is_left_out(value):
    assert audit.sides({"name": value}) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        ({"path": "x", "size": 3}, "path: x\nsize: 3"),
        ([1, 2, 3], "1, 2, 3"),
        ([{"a": 1}, 2, 3], '[\n  {\n    "a": 1\n  },\n  2,\n  3\n]'),
    ],
)
def test_facts_have_one_side(value, text):
    [change] = audit.sides({"fact": value})

    assert change.before is None
    assert texts(change.after) == [(text, False)]


def test_roles_and_doors_have_titles():
    assert audit.role_titles(["program_manager", "gone"]) == "Program manager, gone"
    assert audit.door("web") == "in the browser"
    assert audit.door("tunnel") == "tunnel"
