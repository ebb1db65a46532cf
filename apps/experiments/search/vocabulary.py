"""Which keys a search knows, and how each may be compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apps.experiments.search.nodes import Entity, Operator, SearchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.experiments.search.nodes import Key

Operators = frozenset[Operator]

NUMERIC: Operators = frozenset(
    {
        Operator.EQUAL,
        Operator.NOT_EQUAL,
        Operator.GREATER,
        Operator.AT_LEAST,
        Operator.LESS,
        Operator.AT_MOST,
    }
)
EXACT: Operators = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
LISTS: Operators = frozenset({Operator.IN, Operator.NOT_IN})
TEXT: Operators = EXACT | {Operator.LIKE, Operator.ILIKE}
PRESENCE: Operators = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})

PREFIXES: dict[str, Entity] = {
    "metric": Entity.METRIC,
    "metrics": Entity.METRIC,
    "param": Entity.PARAMETER,
    "params": Entity.PARAMETER,
    "parameter": Entity.PARAMETER,
    "parameters": Entity.PARAMETER,
    "tag": Entity.TAG,
    "tags": Entity.TAG,
    "attr": Entity.ATTRIBUTE,
    "attribute": Entity.ATTRIBUTE,
    "attributes": Entity.ATTRIBUTE,
    "run": Entity.ATTRIBUTE,
    "dataset": Entity.DATASET,
    "datasets": Entity.DATASET,
}


@dataclass(frozen=True)
class Vocabulary:
    """The keys of one kind of search.

    Args:
        attributes: names that are known, each with its operators.
        free: entities whose names people choose, each with its operators.
        datasets: names known of datasets, each with its operators.
        aliases: other names of attributes.
        sorted_by: attributes to sort by.
        free_order: entities with free names to sort by.
    """

    attributes: Mapping[str, Operators]
    free: Mapping[Entity, Operators]
    sorted_by: frozenset[str]
    datasets: Mapping[str, Operators] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    free_order: frozenset[Entity] = frozenset()

    def knows(self, entity: Entity) -> bool:
        """Say whether keys of this kind exist here."""
        return bool(
            entity == Entity.ATTRIBUTE
            or entity in self.free
            or (entity == Entity.DATASET and self.datasets)
        )

    def operators(self, key: Key, *, place: int = 0) -> Operators:
        """Find how `key` may be compared.

        Raises:
            SearchError: there is no such key.
        """
        if key.entity in self.free:
            return self.free[key.entity]
        known = self.datasets if key.entity == Entity.DATASET else self.attributes
        if key.name not in known:
            raise SearchError(
                f"Invalid {key.entity.removesuffix('s')} key {key.name!r} specified: "
                f"there are {', '.join(sorted(known))}.",
                place=place,
            )
        return known[key.name]

    def check_order(self, key: Key, *, place: int = 0) -> None:
        """Refuse keys that a search cannot sort by.

        Raises:
            SearchError: `key` is such a key.
        """
        if key.entity in self.free_order:
            return
        if key.entity != Entity.ATTRIBUTE or key.name not in self.sorted_by:
            raise SearchError(
                f"Invalid attribute key {key.name!r} specified: results can be "
                f"sorted by {', '.join(sorted(self.sorted_by))}.",
                place=place,
            )


_FREE = frozenset({Entity.METRIC, Entity.PARAMETER, Entity.TAG})

RUNS = Vocabulary(
    attributes={
        "run_id": TEXT | LISTS,
        "run_name": TEXT,
        "user_id": TEXT,
        "status": TEXT,
        "artifact_uri": TEXT,
        "start_time": NUMERIC,
        "end_time": NUMERIC,
    },
    free={
        Entity.METRIC: NUMERIC,
        Entity.PARAMETER: TEXT | PRESENCE,
        Entity.TAG: TEXT | PRESENCE,
    },
    datasets=dict.fromkeys(("name", "digest", "context"), TEXT | LISTS),
    aliases={
        "Run name": "run_name",
        "Run Name": "run_name",
        "run name": "run_name",
        "Created": "start_time",
        "created": "start_time",
    },
    sorted_by=frozenset(
        {
            "run_id",
            "run_name",
            "user_id",
            "status",
            "artifact_uri",
            "start_time",
            "end_time",
        }
    ),
    free_order=_FREE,
)

EXPERIMENTS = Vocabulary(
    attributes={
        "name": TEXT,
        "experiment_id": EXACT | LISTS,
        "creation_time": NUMERIC,
        "last_update_time": NUMERIC,
    },
    free={Entity.TAG: TEXT | PRESENCE},
    sorted_by=frozenset({"name", "experiment_id", "creation_time", "last_update_time"}),
)

REGISTERED_MODELS = Vocabulary(
    attributes={"name": TEXT | LISTS},
    free={Entity.TAG: TEXT},
    aliases={"timestamp": "last_updated_timestamp"},
    sorted_by=frozenset({"name", "creation_timestamp", "last_updated_timestamp"}),
)

MODEL_VERSIONS = Vocabulary(
    attributes={
        "name": TEXT,
        "run_id": TEXT | LISTS,
        "source_path": TEXT,
        "version_number": NUMERIC,
    },
    free={Entity.TAG: TEXT},
    sorted_by=frozenset(
        {"name", "version_number", "creation_timestamp", "last_updated_timestamp"}
    ),
)

LOGGED_MODELS = Vocabulary(
    attributes={
        **dict.fromkeys(
            (
                "name",
                "model_id",
                "model_type",
                "status",
                "source_run_id",
                "experiment_id",
            ),
            TEXT | LISTS,
        ),
        "creation_timestamp": NUMERIC,
        "last_updated_timestamp": NUMERIC,
    },
    free={
        Entity.METRIC: NUMERIC,
        Entity.PARAMETER: TEXT | LISTS,
        Entity.TAG: TEXT | LISTS,
    },
    aliases={
        "creation_time": "creation_timestamp",
        "creation_timestamp_ms": "creation_timestamp",
        "last_updated_timestamp_ms": "last_updated_timestamp",
    },
    sorted_by=frozenset(
        {"name", "model_id", "creation_timestamp", "last_updated_timestamp"}
    ),
    free_order=frozenset({Entity.METRIC}),
)
