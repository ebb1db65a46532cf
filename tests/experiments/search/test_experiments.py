import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.experiments.models import Experiment
from apps.experiments.search.experiments import ExperimentSearch, search_experiments
from apps.experiments.search.nodes import SearchError, write_filter
from apps.experiments.search.view import View
from apps.experiments.search.vocabulary import EXPERIMENTS
from tests.experiments.search.evaluator import found, in_order
from tests.experiments.search.stored import stored_experiments, undone
from tests.experiments.search.texts import clauses, orders
from tests.experiments.search.things import drawn_experiments
from tests.factories import experiments as factory


def paged(by, search, size):
    """The ids of all pages, one after another."""
    ids, token = [], ""
    while True:
        keys, token = search_experiments(user=by, search=search, token=token, size=size)
        ids += [key.hex for key in keys]
        if not token:
            return ids


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    drawn=drawn_experiments(),
    wanted=st.lists(clauses(EXPERIMENTS), max_size=2),
    sorting=orders(EXPERIMENTS),
    size=st.integers(1, 4),
)
def test_searches_find_what_the_evaluator_finds(world, drawn, wanted, sorting, size):
    by = world.data_scientist
    search = ExperimentSearch(
        filter=write_filter(tuple(wanted)),
        order_by=[str(order) for order in sorting],
    )
    with undone():
        things = stored_experiments(world.project, by, drawn)

        ids = paged(by, search, size)

    ties = () if sorting else (("creation_time", True),)
    expected = in_order(found(things, wanted), sorting, ties)
    assert ids == [thing.identity for thing in expected]


def names_of(by, filter_text="", **search):
    asked = ExperimentSearch(filter=filter_text, **search)
    keys, _ = search_experiments(user=by, search=asked)
    return [Experiment.objects.get(pk=key).name for key in keys]


def test_experiments_of_other_projects_are_not_found(world):
    factory.experiment(world.project, world.data_scientist)

    assert names_of(world.data_scientist) == ["First look"]
    assert names_of(world.outsider) == []


def test_a_view_chooses_between_active_and_deleted_experiments(world):
    by = world.data_scientist
    gone = factory.experiment(world.project, by, "gone")
    factory.experiment(world.project, by, "here")
    Experiment.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())

    assert names_of(by) == ["here"]
    assert names_of(by, view=View.DELETED) == ["gone"]
    assert names_of(by, view=View.ALL) == ["here", "gone"]


def test_an_experiment_is_found_by_its_id(world):
    by = world.data_scientist
    one = factory.experiment(world.project, by, "one")
    factory.experiment(world.project, by, "two")

    assert names_of(by, f"experiment_id = '{one.pk.hex}'") == ["one"]
    assert names_of(by, f"experiment_id NOT IN ('{one.pk.hex}', '0')") == ["two"]


def test_a_search_of_experiments_is_one_query(world, django_assert_num_queries):
    for name in ("one", "two", "three"):
        factory.experiment(world.project, world.data_scientist, name)
    search = ExperimentSearch("name != 'x' AND tags.a IS NULL", ["name DESC"])

    with django_assert_num_queries(1):
        keys, token = search_experiments(
            user=world.data_scientist, search=search, size=2
        )

    assert len(keys) == 2
    assert token


@pytest.mark.parametrize(
    ("filter_text", "order_by"), [("metrics.a > 1", ()), ("", ["tags.a"])]
)
def test_a_search_that_cannot_be_read_is_refused(world, filter_text, order_by):
    search = ExperimentSearch(filter_text, order_by)

    with pytest.raises(SearchError):
        search_experiments(user=world.data_scientist, search=search)
