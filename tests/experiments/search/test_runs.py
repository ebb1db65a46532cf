import base64
import json
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.experiments.models import Experiment, Run
from apps.experiments.search import conditions, walking
from apps.experiments.search.keyset import Term, read_token
from apps.experiments.search.loading import Logged, load_logged, load_runs
from apps.experiments.search.nodes import SearchError, write_filter
from apps.experiments.search.runs import RunSearch, search_runs
from apps.experiments.search.view import View
from apps.experiments.search.vocabulary import RUNS
from tests.experiments.search.evaluator import found, in_order
from tests.experiments.search.stored import paged, stored_runs, undone
from tests.experiments.search.texts import clauses, orders
from tests.experiments.search.things import drawn_runs
from tests.factories import experiments as factory

NEWEST = (("start_time", True),)
against_the_evaluator = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def experiment(world):
    return factory.experiment(world.project, world.data_scientist)


@against_the_evaluator
@given(
    many=st.sampled_from([1, walking.MANY]),
    gathered=st.sampled_from([0, walking.GATHERED]),
    joined=st.sampled_from([0, conditions.JOINED]),
    drawn=drawn_runs(),
    wanted=st.lists(clauses(RUNS), max_size=3),
    sorting=orders(RUNS),
    size=st.integers(1, 4),
)
def test_searches_find_what_the_evaluator_finds(
    world, experiment, monkeypatch, many, gathered, joined, drawn, wanted, sorting, size
):
    monkeypatch.setattr(walking, "MANY", many)
    monkeypatch.setattr(walking, "RARE", 0)
    monkeypatch.setattr(walking, "GATHERED", gathered)
    monkeypatch.setattr(conditions, "JOINED", joined)
    search = RunSearch(
        experiments=[experiment.pk],
        filter=write_filter(tuple(wanted)),
        order_by=[str(order) for order in sorting],
    )
    with undone():
        things = stored_runs(experiment, world.data_scientist, drawn)

        names = paged(world.data_scientist, search, size)

    expected = in_order(found(things, wanted), sorting, NEWEST)
    assert names == [thing.identity for thing in expected]


@pytest.fixture
def stored(world, experiment):
    """Store runs by name, with what else is given for each."""

    def store(*names, **given):
        drawn = [
            {
                "run_name": name,
                "user_id": "",
                "status": "FINISHED",
                "start_time": 0,
                "end_time": None,
                "metrics": {},
                "params": {},
                "tags": {},
                "datasets": [],
                **given,
            }
            for name in names
        ]
        things = stored_runs(experiment, world.data_scientist, drawn)
        return {
            name: UUID(thing.identity)
            for name, thing in zip(names, things, strict=True)
        }

    return store


def names_of(by, experiment, filter_text="", **search):
    asked = RunSearch(experiments=[experiment.pk], filter=filter_text, **search)
    keys, _ = search_runs(user=by, search=asked)
    return [run.name for run in load_runs(keys)]


def test_runs_of_other_projects_and_experiments_are_not_found(world, stored):
    stored("one")
    elsewhere = factory.experiment(world.project, world.data_scientist, "Elsewhere")
    both = RunSearch(
        experiments=[elsewhere.pk, *Experiment.objects.values_list("pk", flat=True)]
    )

    assert names_of(world.data_scientist, elsewhere) == []
    assert len(search_runs(user=world.data_scientist, search=both)[0]) == 1
    assert search_runs(user=world.outsider, search=both) == ([], "")
    assert search_runs(user=world.data_scientist, search=RunSearch([])) == ([], "")


def test_a_view_chooses_between_active_and_deleted_runs(world, experiment, stored):
    deleted = stored("deleted", "active")["deleted"]
    Run.objects.filter(pk=deleted).update(deleted_at=timezone.now())
    by = world.data_scientist

    assert names_of(by, experiment) == ["active"]
    assert names_of(by, experiment, view=View.DELETED) == ["deleted"]
    assert set(names_of(by, experiment, view=View.ALL)) == {"active", "deleted"}


def test_runs_are_found_by_their_ids(world, experiment, stored):
    ids = stored("one", "two", "three")
    one, two = ids["one"], ids["two"]
    by = world.data_scientist

    assert names_of(by, experiment, f"run_id = '{one.hex}'") == ["one"]
    assert names_of(by, experiment, f"run_id = '{one}'") == []
    assert names_of(by, experiment, f"run_id LIKE '%{one.hex[8:]}'") == ["one"]
    listed = f"('{one.hex}', '{two.hex}', 'x')"
    assert set(names_of(by, experiment, f"run_id IN {listed}")) == {"one", "two"}
    assert names_of(by, experiment, f"run_id NOT IN {listed}") == ["three"]
    assert len(names_of(by, experiment, "run_id != 'x'")) == 3


def test_a_long_parameter_is_compared_whole(world, experiment, stored):
    long = "é" * 100
    for end in ("", "a", "b"):
        stored(f"ends {end}", params={"p": long + end}, tags={"t": long[1:] + end})
    by = world.data_scientist

    assert names_of(by, experiment, f"params.p = '{long}'") == ["ends "]
    assert names_of(by, experiment, f"params.p = '{long}a'") == ["ends a"]
    assert names_of(by, experiment, f"tags.t = '{long[1:]}'") == ["ends "]
    assert names_of(by, experiment, f"tags.t = '{long[1:]}b'") == ["ends b"]


def test_times_are_compared_by_the_millisecond(world, experiment, stored):
    run = stored("one")["one"]
    moment = datetime(2026, 1, 1, 0, 0, 0, 1500, tzinfo=UTC)
    Run.objects.filter(pk=run).update(started_at=moment)
    here = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000) + 1
    held = {
        operator: bool(
            names_of(world.data_scientist, experiment, f"start_time {operator} {here}")
        )
        for operator in ("=", "!=", ">", ">=", "<", "<=")
    }

    assert held == {"=": 1, "!=": 0, ">": 0, ">=": 1, "<": 0, "<=": 1}


@pytest.mark.parametrize("size", [0, -1, 50_001])
def test_a_page_of_an_impossible_size_is_refused(world, experiment, size):
    search = RunSearch([experiment.pk])

    with pytest.raises(SearchError, match="max_results"):
        search_runs(user=world.data_scientist, search=search, size=size)


ORDER = ("metrics.a", "params.b DESC")


@pytest.fixture
def token(world, experiment, stored):
    stored("one", "two", metrics={"a": 1.0}, params={"b": "x"})
    search = RunSearch([experiment.pk], order_by=ORDER)
    _, token = search_runs(user=world.data_scientist, search=search, size=1)
    return token


def told(content):
    """A token with this content."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def changed(token, place, value):
    content = json.loads(base64.urlsafe_b64decode(token))
    content[place] = value
    return told(content)


GARBAGE = [
    *("x", "é", "====", "not base64", "A" * 1_000_001, "AAAA", "bnVsbA==", "\0"),
    *(told(content) for content in (None, 1, {}, [], "x", [[]], {"offset": 1})),
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda text: repr(text[:20]))
def test_a_token_that_is_none_is_refused(world, experiment, garbage):
    search = RunSearch([experiment.pk])

    with pytest.raises(SearchError, match="Invalid page token"):
        search_runs(user=world.data_scientist, search=search, token=garbage)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "0" * 16),
        *((1, value) for value in ("x", True, [], {}, 1)),
        *((2, value) for value in (1, 1.5, "\0", "\ud800", [], False)),
        *(
            (3, value)
            for value in (None, 1, "x", "2026-01-01", "9999-12-31T23:59-23:00")
        ),
        *((4, value) for value in (None, 1, "x", "0" * 31, True)),
    ],
)
def test_a_token_that_was_changed_is_refused(world, experiment, token, place, value):
    search = RunSearch([experiment.pk], order_by=ORDER)
    by, changed_token = world.data_scientist, changed(token, place, value)

    assert len(search_runs(user=by, search=search, token=token)[0]) == 1
    with pytest.raises(SearchError, match="Invalid page token"):
        search_runs(user=by, search=search, token=changed_token)


def test_a_token_of_another_order_is_refused(world, experiment, token):
    search = RunSearch([experiment.pk], order_by=["metrics.c", "params.b DESC"])

    with pytest.raises(SearchError, match="Invalid page token"):
        search_runs(user=world.data_scientist, search=search, token=token)


@given(
    token=st.text(max_size=40)
    | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_whatever_comes_as_a_token_only_a_search_error_comes_back(token):
    terms = [Term("a", float), Term("b", str), Term("c", datetime), Term("pk", UUID)]

    with pytest.raises(SearchError):
        read_token(terms, token, "")


def test_pages_hold_still_while_runs_are_added(world, experiment, stored):
    by = world.data_scientist
    stored("old", start_time=1)
    stored("older")
    search = RunSearch([experiment.pk])
    first, token = search_runs(user=by, search=search, size=1)
    stored("new", start_time=2)

    second, end = search_runs(user=by, search=search, size=1, token=token)

    assert [run.name for run in load_runs(first + second)] == ["old", "older"]
    assert end == ""


@pytest.mark.parametrize("size", [1, 20])
@pytest.mark.parametrize("many", [1, 5_000])
def test_a_search_costs_the_same_whatever_the_page(
    world, experiment, stored, django_assert_num_queries, monkeypatch, size, many
):
    monkeypatch.setattr(walking, "MANY", many)
    stored(*map(str, range(21)), metrics={"a": 1.0}, params={"b": "x"}, tags={"t": "x"})
    text = "metrics.a > 0.5 AND params.b LIKE 'x%' AND tags.t != 'y'"
    search = RunSearch([experiment.pk], text, ["metrics.a DESC", "tags.t"])

    with django_assert_num_queries(2):
        keys, _ = search_runs(user=world.data_scientist, search=search, size=size)
    with django_assert_num_queries(1):
        runs = load_runs(keys)
    with django_assert_num_queries(1):
        logged = load_logged(keys)

    assert [run.id for run in runs] == keys
    assert len(logged) == size


@pytest.mark.parametrize(
    ("text", "walked", "gathers"),
    [
        ("", True, False),
        ("params.b = 'common' AND tags.t = 'common'", True, False),
        ("params.b = 'common' AND tags.t = 'some'", True, True),
        ("params.b = 'some'", True, True),
        ("params.b = 'some' AND tags.t = 'rare'", False, False),
        ("params.b = 'none'", False, False),
        ("params.b != 'none' AND tags.t LIKE 'r%'", True, False),
    ],
)
def test_runs_are_walked_where_many_hold_what_is_asked(
    world, experiment, stored, monkeypatch, text, walked, gathers
):
    for name, value in (("MANY", 6), ("RARE", 2), ("GATHERED", 2)):
        monkeypatch.setattr(walking, name, value)
    held = ["common"] * 3 + ["some"] * 2 + ["rare"]
    for place, value in enumerate(held):
        logged = {"params": {"b": value}, "tags": {"t": value}}
        stored(str(place), metrics={"a": float(place)}, **logged)

    with CaptureQueriesContext(connection) as asked:
        names = names_of(world.data_scientist, experiment, text, order_by=["metrics.a"])

    found = asked.captured_queries[1]["sql"]
    assert "count(" in asked.captured_queries[0]["sql"]
    assert ("\"value\" < 'NaN'" in found, "LIMIT 4" in found) == (walked, gathers)
    assert names == sorted(names)


def test_what_was_logged_comes_with_its_run(world, stored):
    dataset = {"name": "birds", "digest": "d", "context": None}
    given = {"metrics": {"a": 1.5}, "params": {"b": "x"}, "datasets": [dataset]}
    full = stored("full", tags={"t": "y"}, **given)["full"]
    empty = stored("empty")["empty"]
    unknown = UUID(int=0)

    of_empty, of_unknown, of_full = load_logged([empty, unknown, full])

    assert of_empty == of_unknown == Logged("[]", "[]", "[]", [], [])
    point = {"key": "a", "value": 1.5, "timestamp": 0, "step": 0}
    assert json.loads(of_full.metrics) == [point]
    assert json.loads(of_full.parameters) == [{"key": "b", "value": "x"}]
    assert json.loads(of_full.tags) == [{"key": "t", "value": "y"}]
    assert [used["name"] for used in of_full.inputs] == ["birds"]
    assert load_logged([]) == load_runs([]) == []


def test_the_longest_filter_is_planned_quickly(world, experiment, stored):
    stored("one", metrics={f"m{number}": 1.0 for number in range(50)})
    text = " AND ".join(f"metrics.m{number} > 0.5" for number in range(50))
    started = time.perf_counter()

    names = names_of(world.data_scientist, experiment, text, order_by=["metrics.m0"])

    assert names == ["one"]
    assert time.perf_counter() - started < 60
