"""What is offered while somebody writes a filter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.experiments.search.completion import (
    Part,
    expected,
    matching,
    operators_of,
    written_key,
    written_text,
)
from apps.experiments.search.nodes import Entity, Key, SearchError
from apps.experiments.search.parser import parse_filter, parse_key
from apps.experiments.search.vocabulary import RUNS
from tests.experiments.search.texts import KEYS, WORDS


@pytest.mark.parametrize(
    ("before", "part", "begun"),
    [
        ("", Part.KEY, ""),
        ("met", Part.KEY, "met"),
        ("metrics.", Part.KEY, "metrics."),
        ("metrics.`val/lo", Part.KEY, "metrics.`val/lo"),
        ("metrics.loss ", Part.OPERATOR, ""),
        ("run_id NOT ", Part.OPERATOR, "NOT "),
        ("run_id no", Part.OPERATOR, "no"),
        ("metrics.loss <", Part.VALUE, ""),
        ("params.model = 'tr", Part.VALUE, "'tr"),
        ("params.model = '", Part.VALUE, "'"),
        ("params.model = 'a and b", Part.VALUE, "'a and b"),
        ("params.model = 'tree'", Part.JOINER, ""),
        ("params.model = 'tree' a", Part.JOINER, "a"),
        ("tags.team IS NOT NULL ", Part.JOINER, ""),
        ("run_id IN ('a', ", Part.VALUE, ""),
        ("run_id IN ('a') ", Part.JOINER, ""),
        ("metrics.loss < 1 AND ", Part.KEY, ""),
        ("metrics.loss < 1 AND params.m", Part.KEY, "params.m"),
    ],
)
def test_what_comes_next(before, part, begun):
    found = expected(before)

    assert (found.part, found.begun) == (part, begun)
    assert before[found.start :] == begun


@given(st.text(alphabet="ab`'\"() .=<>!,\nANDI", max_size=40))
def test_what_comes_next_is_told_of_any_text(before):
    found = expected(before)

    assert before[found.start :] == found.begun


@given(KEYS, WORDS)
def test_what_is_offered_can_be_read(name, word):
    key = Key(Entity.PARAMETER, name)

    (clause,) = parse_filter(f"{written_key(key)} = {written_text(word)}", RUNS)

    assert (clause.key, clause.value) == (key, word)


@given(KEYS)
def test_a_key_is_read_as_it_is_written(name):
    key = Key(Entity.METRIC, name)

    assert parse_key(written_key(key), RUNS) == key


@pytest.mark.parametrize("text", ["", "nothing", "a b", "metrics.a DESC", "'a'"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(SearchError):
        parse_key(text, RUNS)


def test_operators_are_those_of_the_key():
    assert operators_of("metrics.loss", RUNS) == ["=", "!=", ">", ">=", "<", "<="]
    assert "ILIKE" in operators_of("params.model", RUNS)
    assert operators_of("nothing.here", RUNS) == []


def test_what_starts_so_comes_first():
    offered = ["tags.loss", "params.loss", "loss", "metrics.`val/loss`"]

    assert matching(offered, "LOSS")[0] == "loss"
    assert matching(offered, "metrics.val") == ["metrics.`val/loss`"]
