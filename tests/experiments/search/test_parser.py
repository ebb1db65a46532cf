import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.experiments.search.nodes import (
    Clause,
    Entity,
    Key,
    Operator,
    Order,
    SearchError,
    write_filter,
)
from apps.experiments.search.parser import MOST_CLAUSES, parse_filter, parse_order
from apps.experiments.search.vocabulary import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
)
from tests.experiments.search.texts import SIGNS, clauses, orders

ALL = [RUNS, EXPERIMENTS, REGISTERED_MODELS, MODEL_VERSIONS, LOGGED_MODELS]


def metric(name, operator, value):
    return Clause(Key(Entity.METRIC, name), Operator(operator), value)


def param(name, operator, value=None):
    return Clause(Key(Entity.PARAMETER, name), Operator(operator), value)


def tag(name, operator, value=None):
    return Clause(Key(Entity.TAG, name), Operator(operator), value)


def attribute(name, operator, value):
    return Clause(Key(Entity.ATTRIBUTE, name), Operator(operator), value)


def dataset(name, operator, value):
    return Clause(Key(Entity.DATASET, name), Operator(operator), value)


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("metric.acc >= 0.94", metric("acc", ">=", 0.94)),
        ("metrics.acc>=100", metric("acc", ">=", 100)),
        ("metrics.acc<-1e-3", metric("acc", "<", -0.001)),
        ("metrics.acc = 1.E+3", metric("acc", "=", 1000.0)),
        ("metrics.acc = .5", metric("acc", "=", 0.5)),
        ("metrics.a.b.2 = 3", metric("a.b.2", "=", 3)),
        ("metrics.2nd = 3", metric("2nd", "=", 3)),
        ('metrics."X//Y#$@&Z" != 3', metric("X//Y#$@&Z", "!=", 3)),
        ("`metrics`.`two words` > 5", metric("two words", ">", 5)),
        ("metrics.`a``b` > 5", metric("a`b", ">", 5)),
        ("metrics.über > 5", metric("über", ">", 5)),
        ("metrics.and > 5", metric("and", ">", 5)),
        ("params.m!='tf'", param("m", "!=", "tf")),
        ('params."m"!="tf"', param("m", "!=", "tf")),
        ('parameter.m = "L\'Hosp"', param("m", "=", "L'Hosp")),
        ("parameters.m = 'it''s'", param("m", "=", "it's")),
        ("param.m = 'C:\\'", param("m", "=", "C:\\")),
        ("params.m like '%x'", param("m", "LIKE", "%x")),
        ("params.m iLike '%x'", param("m", "ILIKE", "%x")),
        ("params.m is\tnull", param("m", "IS NULL")),
        ("tags.m IS  Not NULL", tag("m", "IS NOT NULL")),
        ("tag.`mlflow.user` = ''", tag("mlflow.user", "=", "")),
        ("status = 'RUNNING'", attribute("status", "=", "RUNNING")),
        ("run.status = 'RUNNING'", attribute("status", "=", "RUNNING")),
        ("attribute.`status` = 'RUNNING'", attribute("status", "=", "RUNNING")),
        ("attr.`Run name` = 'x'", attribute("run_name", "=", "x")),
        ("`Run name` = 'x'", attribute("run_name", "=", "x")),
        ("Created > 12", attribute("start_time", ">", 12)),
        ("end_time<=12", attribute("end_time", "<=", 12)),
        ("run_id in('a', \"b\")", attribute("run_id", "IN", ("a", "b"))),
        ("run_id NOT in ('a')", attribute("run_id", "NOT IN", ("a",))),
        ("run_id IN ('a',)", attribute("run_id", "IN", ("a",))),
        ("dataset.name = 'x'", dataset("name", "=", "x")),
        ("datasets.digest IN ('x')", dataset("digest", "IN", ("x",))),
        ("datasets.context NOT IN ('x')", dataset("context", "NOT IN", ("x",))),
    ],
)
def test_a_clause_is_read(text, clause):
    assert parse_filter(text, RUNS) == (clause,)
    assert parse_filter(f" {text} and {text}\n", RUNS) == (clause, clause)


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_an_empty_filter_holds_for_all(text):
    assert parse_filter(text, RUNS) == ()


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("metric.acc >= 0.94; metrics.rmse < 1", 18, "; is not expected"),
        ("m.acc >= 0.94", 0, "Invalid entity type 'm'"),
        ("acc >= 0.94", 0, "Invalid attribute key 'acc'"),
        ("a = 'b' AND acc >= 0.94", 0, "Invalid attribute key 'a'"),
        ("metrics.a = 1 AND acc = 2", 18, "Invalid attribute key 'acc'"),
        ("metrics.A > 0.1 OR params.B = 'x'", 16, "joined by AND only"),
        ("metrics.A > 0.1 AND (params.B = 'x')", 20, "expected a key, found ("),
        ("metrics.A > 0.1 AND", 19, "expected a key, found the end"),
        ("`metrics.A > 0.1", 0, "the quote ` is not closed"),
        ("`metrics.A` > 0.1", 0, "Invalid attribute key 'metrics.A'"),
        ("params.a = 'LR", 11, "the quote ' is not closed"),
        ("params.a = \"LR'", 11, 'the quote " is not closed'),
        ("params.a = LR", 11, "Expected a quoted string value"),
        ("params.a = `LR`", 11, "Expected a quoted string value"),
        ('params.a = "x"."y"', 11, "Expected a quoted string value"),
        ("params.a = 5", 11, "Expected a quoted string value"),
        ("params.a =", 10, "found the end"),
        ("params.a = = 'x'", 11, "Expected a quoted string value"),
        ("params.a IS 'x'", 9, "expected a comparator"),
        ("params.a LR", 9, "expected a comparator, found LR"),
        ("params.a > 'x'", 9, "Invalid comparator '>'"),
        ("params.a ~ 'x'", 9, "~ is not expected"),
        ("params.a IN ('x')", 9, "Invalid comparator 'IN'"),
        ("params.`a`.b = 'x'", 0, "whole key after its prefix in backticks"),
        ("metrics.a = 'x'", 12, "Expected numeric value type for metric"),
        ("metrics.a = metrics.b", 12, "Expected numeric value type for metric"),
        ("metrics.a = nan", 12, "Expected numeric value type for metric"),
        ("metrics.a = 1x", 12, "1 is not expected"),
        ("metrics.a-b = 1", 9, "write keys with special characters in backticks"),
        ("metrics.a LIKE 'x'", 10, "Invalid comparator 'LIKE'"),
        ("metrics.a IS NULL", 10, "Invalid comparator 'IS NULL'"),
        (f"metrics.a = {'9' * 101}", 12, "at most 100 characters"),
        ("1 = 1", 0, "expected a key, found 1"),
        ("status IS NULL", 7, "Invalid comparator 'IS NULL'"),
        ("status IN ('x')", 7, "Invalid comparator 'IN'"),
        ("start_time > '1'", 13, "Expected numeric value type for start_time"),
        ("start_time LIKE '1'", 11, "Invalid comparator 'LIKE'"),
        ("attribute.experiment_id = '1'", 0, "Invalid attribute key"),
        ("datasets.profile = 'x'", 0, "Invalid dataset key 'profile'"),
        ("run_id IN 'x'", 10, "a list is written as"),
        ("run_id IN ()", 11, "a list is written as"),
        ("run_id IN ('a',,)", 15, "a list is written as"),
        ("run_id IN ('a' 'b')", 15, "a list is written as"),
        ("run_id IN (1)", 11, "a list is written as"),
        ("run_id IN ('a'", 14, "a list is written as"),
        ("params.a = 'x\0'", 13, "no text can hold"),
        ("params.a = 'x\ud800'", 13, "no text can hold"),
    ],
)
def test_a_filter_that_is_none_is_refused_with_its_place(text, place, sentence):
    with pytest.raises(SearchError) as caught:
        parse_filter(text, RUNS)

    assert sentence in caught.value.message
    assert caught.value.place == place


@pytest.mark.parametrize(
    ("vocabulary", "text"),
    [
        (EXPERIMENTS, "metrics.a > 1"),
        (EXPERIMENTS, "datasets.name = 'x'"),
        (EXPERIMENTS, "experiment_id LIKE 'x'"),
        (EXPERIMENTS, "run_id = 'x'"),
        (REGISTERED_MODELS, "tags.a IS NULL"),
        (REGISTERED_MODELS, "params.a = 'x'"),
        (MODEL_VERSIONS, "name IN ('x')"),
        (MODEL_VERSIONS, "version_number = '1'"),
        (LOGGED_MODELS, "params.a IS NULL"),
        (LOGGED_MODELS, "creation_timestamp = '1'"),
    ],
)
def test_each_search_has_its_own_keys_and_comparators(vocabulary, text):
    with pytest.raises(SearchError):
        parse_filter(text, vocabulary)


@pytest.mark.parametrize(
    ("vocabulary", "text"),
    [
        (EXPERIMENTS, "name ILIKE 'x%' AND tags.a IS NULL AND creation_time > 1"),
        (EXPERIMENTS, "experiment_id NOT IN ('0') AND last_update_time <= 1"),
        (REGISTERED_MODELS, "tag.`mlflow.prompt.is_prompt` != 'true'"),
        (REGISTERED_MODELS, "name IN ('a', 'b')"),
        (MODEL_VERSIONS, "run_id IN ('x') AND version_number >= 2"),
        (MODEL_VERSIONS, "source_path = 'x' AND tags.a LIKE '%'"),
        (LOGGED_MODELS, "params.a IN ('x') AND creation_time > 1 AND metrics.m > 1"),
    ],
)
def test_each_search_reads_what_it_knows(vocabulary, text):
    clauses = parse_filter(text, vocabulary)

    assert len(clauses) == text.count(" AND ") + 1


@pytest.mark.parametrize("vocabulary", ALL)
@settings(max_examples=40)
@given(data=st.data())
def test_a_filter_that_was_written_reads_the_same(vocabulary, data):
    one = clauses(vocabulary, names=st.text(SIGNS), words=st.text(SIGNS))
    drawn = tuple(data.draw(st.lists(one, max_size=4)))

    assert parse_filter(write_filter(drawn), vocabulary) == drawn


@pytest.mark.parametrize("vocabulary", ALL)
@settings(max_examples=40)
@given(data=st.data())
def test_an_order_that_was_written_reads_the_same(vocabulary, data):
    drawn = tuple(data.draw(orders(vocabulary)))

    assert parse_order([str(order) for order in drawn], vocabulary) == drawn


MARKS = [". , ( ) ' \" ` = != <> >= <= ; -- \\ 1 -1 1e5 .5 'x' \"x\" `x` a b"]
KEYWORDS = ["LIKE ILIKE IN NOT IS NULL AND OR metrics. params. tags. datasets."]
PIECES = st.one_of(
    st.sampled_from([one for row in MARKS + KEYWORDS for one in row.split()]),
    st.sampled_from([" ", "  ", "\n", "run_id", "status", "start_time", "name"]),
    st.text(max_size=5),
)


def fault_of(text, vocabulary):
    """The one exception of reading the text in both ways, or None."""
    try:
        parse_filter(text, vocabulary)
        parse_order([text], vocabulary)
    except SearchError as error:
        return error
    return None


@pytest.mark.parametrize("vocabulary", ALL)
@settings(max_examples=60)
@given(pieces=st.lists(PIECES, max_size=20), joint=st.sampled_from(["", " "]))
@example(pieces=["run_id", "ı", "N", "('a')"], joint="")
def test_whatever_is_written_only_a_search_error_comes_back(vocabulary, pieces, joint):
    text = joint.join(pieces)

    fault = fault_of(text, vocabulary)

    if fault:
        assert 0 <= fault.place <= len(text)
        assert fault.message.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "(" * 1_000_000,
        "(" * 190_000,
        "`" * 190_001,
        '"' * 190_001,
        "'" * 190_001,
        "metrics." + "a." * 95_000,
        "metrics." + "`a`." * 40_000,
        "metrics.a = " + "9" * 190_000,
        "metrics.a = " + "9" * 190_000 + "x",
        "run_id IN (" + "'a'," * 45_000,
        " AND ".join(["metrics.a = 1"] * (MOST_CLAUSES + 1)),
        " " * 190_000 + ";",
    ],
    ids=lambda text: f"{text[:12]!r}-{len(text)}",
)
def test_a_huge_filter_is_refused_quickly(text):
    # What is not linear in the text would take hours.
    started = time.process_time()

    with pytest.raises(SearchError):
        parse_filter(text, RUNS)

    assert time.process_time() - started < 20


def test_many_names_in_a_list_are_read():
    names = tuple(f"{number:032x}" for number in range(5000))
    clause = attribute("run_id", "IN", names)

    assert parse_filter(str(clause), RUNS) == (clause,)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([], []),
        (["metrics.a"], [(Entity.METRIC, "a", False)]),
        (['metrics."a b"  desc'], [(Entity.METRIC, "a b", True)]),
        (["params.`a` aSc "], [(Entity.PARAMETER, "a", False)]),
        (["tags.a DESC", "Created"], [(Entity.TAG, "a", True), ("", "start_time", 0)]),
        (["metrics.a", "metrics.a DESC"], [(Entity.METRIC, "a", False)]),
    ],
)
def test_an_order_is_read(terms, expected):
    wanted = tuple(
        Order(Key(entity or Entity.ATTRIBUTE, name), bool(descending))
        for entity, name, descending in expected
    )

    assert parse_order(terms, RUNS) == wanted


@pytest.mark.parametrize(
    ("term", "sentence"),
    [
        ("", "Invalid order_by clause"),
        ("m.acc", "Invalid entity type"),
        ("acc", "Invalid attribute key"),
        ("`metrics.A`", "Invalid attribute key"),
        ("`metrics.A", "not closed"),
        ("attribute.experiment_id", "Invalid attribute key"),
        ("datasets.name", "Invalid attribute key"),
        ("metrics.A != 1", "Invalid order_by clause"),
        ("run_id ACS", "ordering key"),
        ("metrics.a, metrics.b", "ordering key"),
        ("metrics.a ASC DESC", "ordering key"),
    ],
)
def test_an_order_that_is_none_is_refused(term, sentence):
    with pytest.raises(SearchError, match=sentence):
        parse_order([term], RUNS)


def test_too_many_orders_are_refused():
    with pytest.raises(SearchError, match="the most to sort by"):
        parse_order([f"metrics.a{number}" for number in range(11)], RUNS)
