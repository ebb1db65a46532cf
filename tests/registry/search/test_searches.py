"""Searches of models and versions against the evaluator, page by page."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.experiments.search.nodes import SearchError, write_filter
from apps.experiments.search.vocabulary import MODEL_VERSIONS, REGISTERED_MODELS
from apps.registry.models import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)
from apps.registry.search.models import PROMPT_TAG, ModelSearch, search_models
from apps.registry.search.versions import VersionSearch, search_versions
from tests.experiments.search.evaluator import Thing, found, in_order
from tests.experiments.search.stored import moment, undone
from tests.experiments.search.texts import KEYS, WORDS, clauses, orders
from tests.experiments.search.things import TIMES, texts_by_key
from tests.factories import experiments as factory

MODEL_KEYS = KEYS | st.just(PROMPT_TAG)
MODEL_WORDS = WORDS | st.sampled_from(["true", "false"])
TIMED = {"creation_timestamp": TIMES, "last_updated_timestamp": TIMES}
MODELS = st.dictionaries(
    WORDS.filter(bool),
    st.fixed_dictionaries(
        {**TIMED, "tags": st.dictionaries(MODEL_KEYS, MODEL_WORDS, max_size=3)}
    ),
    max_size=6,
)
VERSION = st.fixed_dictionaries(
    {**TIMED, "tags": texts_by_key(), "source_path": WORDS, "has_run": st.booleans()}
)
VERSIONS = st.dictionaries(
    st.sampled_from(["a", "A", "é"]), st.lists(VERSION, max_size=4), max_size=3
)
QUICKLY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return factory.run(made, world.data_scientist)


def row(world, name: str, one: dict) -> RegisteredModel:
    return RegisteredModel(
        project=world.project,
        name=name,
        created_by=world.data_scientist,
        created_at=moment(one["creation_timestamp"]),
        updated_at=moment(one["last_updated_timestamp"]),
    )


def stored_models(world, drawn) -> list[Thing]:
    models = [row(world, name, one) for name, one in drawn.items()]
    RegisteredModel.objects.bulk_create(models)
    pairs = list(zip(models, drawn.values(), strict=True))
    RegisteredModelTag.objects.bulk_create(
        RegisteredModelTag(model=model, key=key, value=value)
        for model, one in pairs
        for key, value in one["tags"].items()
    )
    return [
        Thing(
            model.pk.hex,
            {"name": model.name} | {key: one[key] for key in TIMED},
            # What has no such tag is no prompt.
            tags={PROMPT_TAG: "false"} | one["tags"],
        )
        for model, one in pairs
    ]


def stored_versions(world, run, drawn) -> list[Thing]:
    times = dict.fromkeys(TIMED, 0)
    models = [row(world, name, times) for name in drawn]
    RegisteredModel.objects.bulk_create(models)
    pairs = [
        (
            ModelVersion(
                model=model,
                number=number,
                run=run if one["has_run"] else None,
                source=one["source_path"],
                manifest=[],
                manifest_digest="",
                registered_by=world.data_scientist,
                created_at=moment(one["creation_timestamp"]),
                updated_at=moment(one["last_updated_timestamp"]),
            ),
            one,
        )
        for model, listed in zip(models, drawn.values(), strict=True)
        for number, one in enumerate(listed, 1)
    ]
    ModelVersion.objects.bulk_create(version for version, _ in pairs)
    ModelVersionTag.objects.bulk_create(
        ModelVersionTag(version=version, key=key, value=value)
        for version, one in pairs
        for key, value in one["tags"].items()
    )
    return [thing(version, one) for version, one in pairs]


def thing(version, one) -> Thing:
    attributes = {
        "name": version.model.name,
        "version_number": float(version.number),
        "run_id": version.run.pk.hex if version.run else None,
        **{key: one[key] for key in ("source_path", *TIMED)},
    }
    return Thing(version.pk.hex, attributes, tags=one["tags"])


def paged(search, by, asked, size) -> list[str]:
    names, token = [], ""
    while True:
        keys, token = search(user=by, search=asked, token=token, size=size)
        assert len(keys) <= size
        names += [key.hex for key in keys]
        if not token:
            return names


@QUICKLY
@given(
    drawn=MODELS,
    wanted=st.lists(
        clauses(REGISTERED_MODELS, names=MODEL_KEYS, words=MODEL_WORDS), max_size=2
    ),
    sorting=orders(REGISTERED_MODELS),
    size=st.integers(1, 4),
)
def test_models_are_found_as_by_the_evaluator(world, drawn, wanted, sorting, size):
    asked = ModelSearch(
        filter=write_filter(tuple(wanted)),
        order_by=[str(order) for order in sorting],
        project=world.project,
    )
    with undone():
        things = stored_models(world, drawn)

        names = paged(search_models, world.data_scientist, asked, size)

    expected = in_order(found(things, wanted), sorting, [("name", False)])
    assert names == [thing.identity for thing in expected]


@QUICKLY
@given(
    drawn=VERSIONS,
    wanted=st.lists(clauses(MODEL_VERSIONS), max_size=2),
    sorting=orders(MODEL_VERSIONS),
    size=st.integers(1, 4),
)
def test_versions_are_found_as_by_the_evaluator(
    world, run, drawn, wanted, sorting, size
):
    asked = VersionSearch(
        filter=write_filter(tuple(wanted)),
        order_by=[str(order) for order in sorting],
        project=world.project,
    )
    with undone():
        things = stored_versions(world, run, drawn)

        names = paged(search_versions, world.data_scientist, asked, size)

    ties = [("name", False), ("version_number", True)]
    expected = in_order(found(things, wanted), sorting, ties)
    assert names == [thing.identity for thing in expected]


def test_the_clause_of_the_client_finds_what_is_no_prompt(world):
    stored_models(
        world,
        {
            "plain": {**dict.fromkeys(TIMED, 0), "tags": {}},
            "prompt": {**dict.fromkeys(TIMED, 0), "tags": {PROMPT_TAG: "true"}},
        },
    )
    asked = ModelSearch(filter=f"tag.`{PROMPT_TAG}` != 'true'")

    keys, _ = search_models(user=world.data_scientist, search=asked)

    assert [RegisteredModel.objects.get(pk=key).name for key in keys] == ["plain"]


def test_without_a_project_names_begin_with_theirs(world, run):
    by = world.data_scientist
    one = {**dict.fromkeys(TIMED, 0), "tags": {}, "source_path": "", "has_run": True}
    stored_versions(world, run, {"churn": [one]})
    name = f"name = '{world.project.slug}/churn'"

    assert search_models(user=by, search=ModelSearch(filter=name))[0]
    assert search_versions(user=by, search=VersionSearch(filter=name))[0]
    assert not search_versions(user=by, search=VersionSearch(filter="name = 'churn'"))[
        0
    ]
    assert not search_models(user=world.outsider, search=ModelSearch())[0]


@pytest.mark.parametrize("search", ["poem = 'x'", "name > 'x'", "name = 'x' OR"])
def test_a_search_that_cannot_be_read_is_refused(world, search):
    with pytest.raises(SearchError):
        search_models(user=world.data_scientist, search=ModelSearch(filter=search))
    with pytest.raises(SearchError):
        search_versions(user=world.data_scientist, search=VersionSearch(filter=search))
