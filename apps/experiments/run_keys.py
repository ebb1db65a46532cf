"""Names and values that the newest runs use, to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models.functions import Left

from apps.experiments.models import LatestMetric, Parameter, Run, RunStatus, RunTag
from apps.experiments.search.completion import (
    MOST_CHARACTERS,
    Expected,
    Part,
    expected,
    matching,
    operators_of,
    written_key,
    written_text,
)
from apps.experiments.search.nodes import Entity, Key, SearchError
from apps.experiments.search.parser import parse_key
from apps.experiments.search.vocabulary import RUNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from django.db.models import Model, QuerySet

# Looking further back would cost more with every run; what is newer is asked for.
NEWEST = 200
LONGEST_VALUE = 100
_TABLES: dict[Entity, type[Model]] = {
    Entity.METRIC: LatestMetric,
    Entity.PARAMETER: Parameter,
    Entity.TAG: RunTag,
}
_TITLES = {
    Entity.METRIC: "metric",
    Entity.PARAMETER: "parameter",
    Entity.TAG: "tag",
    Entity.ATTRIBUTE: "field of the run",
    Entity.DATASET: "data that the run used",
}
_COLUMNS = {"run_name": "name", "user_id": "claimed_user"}


def newest_runs(runs: QuerySet[Run]) -> list[UUID]:
    """Find the newest of `runs`."""
    return list(
        runs.order_by("-started_at", "id").values_list("pk", flat=True)[:NEWEST]
    )


def known_keys(runs: Sequence[UUID], *entities: Entity) -> dict[Entity, list[str]]:
    """Name what was logged to `runs`, in one query for each kind."""
    return {
        entity: sorted(
            _TABLES[entity]
            ._default_manager.filter(run__in=runs)
            .order_by()
            .values_list("key", flat=True)
            .distinct()
        )
        for entity in entities or tuple(_TABLES)
    }


def suggestions(runs: QuerySet[Run], text: str, at: int) -> list[dict[str, Any]]:
    """Tell what could come next in a filter.

    Args:
        runs: those whose names and values are offered.
        text: the filter, as far as it is written.
        at: the place of the cursor, in characters.

    Returns:
        For each suggestion: `text` and `kind`, the whole filter with it as `filter`,
        and where the cursor would stand as `at`.
    """
    before, after = text[:at], text[at:]
    if len(text) > MOST_CHARACTERS:
        return []
    place = expected(before)
    return [
        {
            "text": offered,
            "kind": kind,
            "filter": f"{before[: place.start]}{offered} {after.lstrip()}",
            "at": place.start + len(offered) + 1,
        }
        for offered, kind in _offered(runs, place)
        if offered != place.begun or after.strip() == ""
    ]


def _offered(runs: QuerySet[Run], place: Expected) -> list[tuple[str, str]]:
    if place.part is Part.KEY:
        kinds = _keys(runs)
        return [(text, kinds[text]) for text in matching(kinds, place.begun)]
    if place.part is Part.OPERATOR:
        found = matching(operators_of(place.key, RUNS), place.begun)
        return [(text, "comparison") for text in found]
    if place.part is Part.VALUE:
        found = matching(_values(runs, place), place.begun)
        return [(text, "value") for text in found]
    return [(text, "joins") for text in matching(["AND"], place.begun)]


def _keys(runs: QuerySet[Run]) -> dict[str, str]:
    """Every key by how it is written, with its kind."""
    found = {
        written_key(Key(entity, name)): _TITLES[entity]
        for entity, names in known_keys(newest_runs(runs)).items()
        for name in names
    }
    fixed = {Entity.ATTRIBUTE: RUNS.attributes, Entity.DATASET: RUNS.datasets}
    for entity, names in fixed.items():
        found |= {written_key(Key(entity, name)): _TITLES[entity] for name in names}
    return found


def _values(runs: QuerySet[Run], place: Expected) -> list[str]:
    try:
        key = parse_key(place.key, RUNS)
    except SearchError:
        return []
    texts = [written_text(text) for text in _texts(runs, key)]
    return [f"({text})" for text in texts] if place.in_list else texts


def _texts(runs: QuerySet[Run], key: Key) -> list[str]:
    if key == Key(Entity.ATTRIBUTE, "status"):
        return list(RunStatus.values)
    newest = newest_runs(runs)
    if key.entity in (Entity.PARAMETER, Entity.TAG):
        rows = _TABLES[key.entity]._default_manager.filter(run__in=newest, key=key.name)
        short = rows.annotate(start=Left("value", LONGEST_VALUE + 1))
        found = short.order_by("start").values_list("start", flat=True).distinct()
    elif key.entity is Entity.ATTRIBUTE and key.name in _COLUMNS:
        column = _COLUMNS[key.name]
        named = Run.objects.filter(pk__in=newest).exclude(**{column: ""})
        found = named.order_by(column).values_list(column, flat=True).distinct()
    else:
        return []
    return [text for text in found if len(text) <= LONGEST_VALUE]
