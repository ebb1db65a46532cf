"""Every comparison of every awkward value with every other."""

import pytest

from apps.experiments.search import walking
from apps.experiments.search.nodes import Clause, Entity, Key, Operator, Order
from apps.experiments.search.runs import RunSearch, search_runs
from tests.experiments.search.evaluator import found, in_order
from tests.experiments.search.stored import paged, stored_runs
from tests.factories import experiments as factory

NAN, INFINITE = float("nan"), float("inf")
WORDS = [
    "",
    "a",
    "A",
    "ab",
    "a%",
    "a_b",
    "axb",
    "a\\b",
    "\\",
    "it's",
    '"',
    "é",
    "É",
    "日",
]
PATTERNS = [
    *WORDS,
    "%",
    "_",
    "__",
    "%b",
    "A%",
    "%\\%",
    "\\%",
    "\\_",
    "a\\_",
    "%%",
    "%_%",
]
NUMBERS = [0.0, -1.0, 0.5, 1e300, INFINITE, -INFINITE]
TIMES = [0, 1, 2, 1_700_000_000_123]
COMPARED = [*Operator][:6]
BLANK = {
    "run_name": "",
    "user_id": "",
    "status": "FINISHED",
    "start_time": 0,
    "end_time": None,
    "metrics": {},
    "params": {},
    "tags": {},
    "datasets": [],
}


def dataset(word):
    return {"name": word or "none", "digest": "d", "context": word}


@pytest.fixture
def things(world):
    """Runs with each value in each place, and one with nothing."""
    experiment = factory.experiment(world.project, world.data_scientist)
    drawn = [BLANK]
    drawn += [
        {
            **BLANK,
            "run_name": word,
            "params": {"k": word},
            "tags": {"k": word},
            "datasets": [dataset(word), dataset("other")],
        }
        for word in WORDS
    ]
    drawn += [{**BLANK, "metrics": {"k": value}} for value in [*NUMBERS, NAN]]
    drawn += [{**BLANK, "start_time": time, "end_time": time} for time in TIMES]
    return experiment, stored_runs(experiment, world.data_scientist, drawn)


def check(by, things, clause):
    experiment, stored = things
    search = RunSearch([experiment.pk], str(clause))
    keys, _ = search_runs(user=by, search=search)
    expected = {thing.identity for thing in found(stored, [clause])}
    assert {key.hex for key in keys} == expected, str(clause)


@pytest.mark.parametrize(
    "key",
    [
        Key(Entity.PARAMETER, "k"),
        Key(Entity.TAG, "k"),
        Key(Entity.ATTRIBUTE, "run_name"),
        Key(Entity.DATASET, "context"),
    ],
    ids=str,
)
def test_texts_are_compared_as_the_evaluator_compares_them(world, things, key):
    for operator in (Operator.LIKE, Operator.ILIKE):
        for pattern in PATTERNS:
            check(world.data_scientist, things, Clause(key, operator, pattern))
    for operator in (Operator.EQUAL, Operator.NOT_EQUAL):
        for word in WORDS:
            check(world.data_scientist, things, Clause(key, operator, word))


@pytest.mark.parametrize("operator", COMPARED)
def test_numbers_are_compared_as_the_evaluator_compares_them(world, things, operator):
    for number in [*NUMBERS, 10**30, 1]:
        clause = Clause(Key(Entity.METRIC, "k"), operator, number)
        check(world.data_scientist, things, clause)


@pytest.mark.parametrize("name", ["start_time", "end_time"])
@pytest.mark.parametrize("operator", COMPARED)
def test_times_are_compared_as_the_evaluator_compares_them(
    world, things, name, operator
):
    numbers = [*TIMES, 0.5, 1.5, -1, 10**30, -(10**30), INFINITE, -INFINITE]
    for number in numbers:
        clause = Clause(Key(Entity.ATTRIBUTE, name), operator, number)
        check(world.data_scientist, things, clause)


@pytest.mark.parametrize("operator", [Operator.IN, Operator.NOT_IN])
def test_lists_are_compared_as_the_evaluator_compares_them(world, things, operator):
    for words in [("a",), ("a", "é", "\\"), tuple(WORDS), ("nothing",)]:
        for name in ("name", "digest", "context"):
            clause = Clause(Key(Entity.DATASET, name), operator, words)
            check(world.data_scientist, things, clause)


KEYS = [
    Key(Entity.METRIC, "k"),
    Key(Entity.PARAMETER, "k"),
    Key(Entity.ATTRIBUTE, "run_name"),
    Key(Entity.ATTRIBUTE, "end_time"),
    Key(Entity.ATTRIBUTE, "run_id"),
    Key(Entity.ATTRIBUTE, "artifact_uri"),
]


@pytest.mark.parametrize("many", [1, walking.MANY], ids=["walked", "sorted"])
@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_pages_join_wherever_they_end(
    world, things, monkeypatch, key, descending, many
):
    monkeypatch.setattr(walking, "MANY", many)
    experiment, stored = things
    order = Order(key, descending)
    search = RunSearch([experiment.pk], order_by=[str(order)])

    for size in (1, 7):
        ids = paged(world.data_scientist, search, size)

        expected = in_order(stored, [order], (("start_time", True),))
        assert ids == [thing.identity for thing in expected]
