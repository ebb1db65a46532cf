"""Searches of logged models against the evaluator; pages, orders and datasets."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.experiments.models import (
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParameter,
    LoggedModelTag,
)
from apps.experiments.search.logged_models import (
    LoggedModelSearch,
    MeasuredOn,
    ModelOrder,
    load_logged_models,
    search_logged_models,
)
from apps.experiments.search.nodes import SearchError, write_filter
from apps.experiments.search.vocabulary import LOGGED_MODELS
from tests.experiments.search.evaluator import Thing, found, in_order
from tests.experiments.search.stored import moment, undone
from tests.experiments.search.texts import clauses, orders
from tests.experiments.search.things import drawn_logged_models
from tests.factories import experiments as factory

NEWEST = (("creation_timestamp", True),)
DATA = st.sampled_from(["", "birds", "fish"])


@pytest.fixture
def run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return factory.run(made, world.data_scientist)


def stored(run, drawn, data: str) -> list[Thing]:
    """Store drawn models; tell them with the metrics that were measured on `data`."""
    models = [
        LoggedModel(
            experiment=run.experiment,
            source_run=run if one["has_run"] else None,
            recorded_by=run.recorded_by,
            created_at=moment(one["creation_timestamp"]),
            updated_at=moment(one["last_updated_timestamp"]),
            **{name: one[name] for name in ("name", "model_type", "status")},
        )
        for one in drawn
    ]
    LoggedModel.objects.bulk_create(models)
    pairs = list(zip(models, drawn, strict=True))
    for table, kind in ((LoggedModelParameter, "params"), (LoggedModelTag, "tags")):
        table.objects.bulk_create(
            table(model=model, key=key, value=value)
            for model, one in pairs
            for key, value in one[kind].items()
        )
    LoggedModelMetric.objects.bulk_create(
        LoggedModelMetric(
            model=model, run=run, key=key, value=value, timestamp=0, dataset_name=name
        )
        for model, one in pairs
        for (key, name), value in one["metrics"].items()
    )
    return [thing(model, one, data) for model, one in pairs]


def thing(model, drawn, data: str) -> Thing:
    attributes = {
        **{name: drawn[name] for name in LOGGED_MODELS.attributes if name in drawn},
        "model_id": model.public_id,
        "source_run_id": model.source_run.pk.hex if drawn["has_run"] else None,
        "experiment_id": model.experiment_id.hex,
    }
    # One value for each metric: those on one dataset, or those on none.
    metrics = {
        key: value for (key, name), value in drawn["metrics"].items() if name == data
    }
    return Thing(model.pk.hex, attributes, metrics, drawn["params"], drawn["tags"])


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    drawn=drawn_logged_models(),
    wanted=st.lists(clauses(LOGGED_MODELS), max_size=3),
    sorting=orders(LOGGED_MODELS),
    size=st.integers(1, 4),
    data=st.sampled_from(["birds", "fish"]),
)
def test_searches_find_what_the_evaluator_finds(
    world, run, drawn, wanted, sorting, size, data
):
    measured = MeasuredOn(data)
    search = LoggedModelSearch(
        experiments=[run.experiment_id],
        filter=write_filter(tuple(wanted)),
        datasets=[measured],
        order_by=[
            ModelOrder(
                str(one.key),
                one.descending,
                measured if one.key.entity == "metrics" else None,
            )
            for one in sorting
        ],
    )
    with undone():
        things = stored(run, drawn, data)

        names = paged(world.data_scientist, search, size)

    if not any(one.key.entity == "metrics" for one in wanted):
        things = [one for one in things if one.metrics]
    expected = in_order(found(things, wanted), sorting, NEWEST)
    assert names == [thing.identity for thing in expected]


def paged(by, search, size) -> list[str]:
    names, token = [], ""
    while True:
        keys, token = search_logged_models(
            user=by, search=search, token=token, size=size
        )
        assert len(keys) <= size
        names += [key.hex for key in keys]
        if not token:
            return names


def logged(run, name: str, *points, **fields) -> LoggedModel:
    """A model with points: key, value, timestamp, and the data they are of."""
    model = LoggedModel.objects.create(
        experiment=run.experiment, name=name, recorded_by=run.recorded_by, **fields
    )
    for key, value, at, data, digest in points:
        LoggedModelMetric.objects.create(
            model=model,
            run=run,
            key=key,
            value=value,
            timestamp=at,
            dataset_name=data,
            dataset_digest=digest,
        )
    return model


def names_of(by, run, **asked) -> list[str]:
    search = LoggedModelSearch(experiments=[run.experiment_id], **asked)
    keys, _ = search_logged_models(user=by, search=search)
    return [model.name for model in load_logged_models(keys)]


def test_models_are_sorted_by_the_newest_point_on_the_data_asked_for(world, run):
    logged(run, "a", ("auc", 0.9, 1, "birds", "x"), ("auc", 0.1, 2, "birds", "x"))
    logged(run, "b", ("auc", 0.5, 1, "birds", "y"))
    logged(run, "c", ("auc", 0.7, 1, "", ""))
    by = world.data_scientist

    best = ModelOrder("metrics.auc", True, MeasuredOn("birds"))
    exact = ModelOrder("metrics.auc", True, MeasuredOn("birds", "x"))
    digest = ModelOrder("metrics.auc", True, MeasuredOn("", "y"))

    assert names_of(by, run, order_by=[best]) == ["b", "a", "c"]
    assert names_of(by, run, order_by=[exact]) == ["a", "c", "b"]
    assert names_of(by, run, order_by=[digest])[0] == "b"
    assert names_of(by, run, filter="metrics.auc > 0.6") == ["c", "a"]


@pytest.mark.parametrize(
    "other",
    [
        {"experiments": [UUID(int=0)]},
        {"filter": "name = 'a'"},
        {"datasets": [MeasuredOn("birds")]},
        {"order_by": [ModelOrder("name")]},
    ],
)
def test_the_token_of_one_search_serves_no_other(world, run, other):
    logged(run, "a")
    logged(run, "b")
    by, asked = world.data_scientist, {"experiments": [run.experiment_id]}
    _, token = search_logged_models(user=by, search=LoggedModelSearch(**asked), size=1)

    with pytest.raises(SearchError, match="page token"):
        search_logged_models(
            user=by, search=LoggedModelSearch(**asked | other), token=token
        )


def test_models_are_found_by_the_data_that_anything_was_measured_on(world, run):
    logged(run, "a", ("auc", 0.9, 1, "birds", "x"))
    logged(run, "b", ("auc", 0.9, 1, "fish", "x"))
    logged(run, "c")
    by = world.data_scientist

    assert names_of(by, run, datasets=[MeasuredOn("birds")]) == ["a"]
    assert names_of(by, run, datasets=[MeasuredOn("birds", "y")]) == []
    either = [MeasuredOn("birds"), MeasuredOn("fish")]
    assert names_of(by, run, datasets=either, filter="name != 'a'") == ["b"]


def test_deleted_models_and_those_of_others_are_not_found(world, run):
    logged(run, "gone", deleted_at=run.recorded_at)
    logged(run, "here")

    assert names_of(world.data_scientist, run) == ["here"]
    assert names_of(world.outsider, run) == []
    assert load_logged_models([UUID(int=0)]) == []


def test_only_metrics_have_a_dataset(world, run):
    order = ModelOrder("name", dataset=MeasuredOn("birds"))

    with pytest.raises(SearchError, match="belongs to a metric"):
        names_of(world.data_scientist, run, order_by=[order])
