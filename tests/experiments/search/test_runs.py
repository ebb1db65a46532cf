import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.experiments.search.nodes import write_filter
from apps.experiments.search.runs import RunSearch, search_runs
from apps.experiments.search.vocabulary import RUNS
from tests.experiments.search.evaluator import found, in_order
from tests.experiments.search.stored import stored_runs, undone
from tests.experiments.search.texts import clauses, orders
from tests.experiments.search.things import drawn_runs
from tests.factories import experiments as factory

NEWEST = (("start_time", True),)
against_the_evaluator = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def experiment(world):
    return factory.experiment(world.project, world.data_scientist)


def paged(by, search, size):
    """The ids of all pages, one after another."""
    names, token = [], ""
    while True:
        page = search_runs(user=by, search=search, token=token, size=size)
        assert len(page.runs) <= size
        names += [run.pk.hex for run in page.runs]
        token = page.next_token
        if not token:
            return names


@against_the_evaluator
@given(
    drawn=drawn_runs(),
    wanted=st.lists(clauses(RUNS), max_size=3),
    sorting=orders(RUNS),
    size=st.integers(1, 4),
)
def test_searches_find_what_the_evaluator_finds(
    world, experiment, drawn, wanted, sorting, size
):
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
