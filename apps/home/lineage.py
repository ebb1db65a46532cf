"""Which data a model came from and what became of data: a graph in columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from apps.core.errors import Invalid
from apps.datasets.models import DatasetVersion
from apps.experiments.models import Run
from apps.registry.models import ModelVersion
from apps.training.models import TrainingJob

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from apps.accounts.models import User

# From the data to its use; deployments will follow the model versions.
COLUMNS: Final = {
    "dataset_version": "Dataset versions",
    "training_job": "Training jobs",
    "run": "Runs",
    "model_version": "Model versions",
}
ONE: Final = {
    "dataset_version": "Dataset version",
    "training_job": "Training job",
    "run": "Run",
    "model_version": "Model version",
}
# What stands in the place of something that the reader cannot see.
HIDDEN: Final = {
    "dataset_version": "A restricted dataset",
    "training_job": "A training job of another project",
    "run": "A run of another project",
    "model_version": "A restricted model",
}
DEFAULT_LIMIT, MOST_LIMIT = 20, 200

_MODELS: Final[dict[str, Any]] = {
    "dataset_version": DatasetVersion,
    "training_job": TrainingJob,
    "run": Run,
    "model_version": ModelVersion,
}
_JOINED: Final[dict[str, tuple[str, ...]]] = {
    "dataset_version": ("dataset",),
    "training_job": (),
    "run": ("experiment",),
    "model_version": ("model__project",),
}
_HEAVY: Final[dict[str, tuple[str, ...]]] = {
    "dataset_version": ("log_tail", "columns", "profile", "failure_details"),
    "training_job": ("log_tail", "spec", "failure_details"),
    "run": ("summary",),
    "model_version": ("manifest", "signature"),
}
# Start -> column -> how rows of the column are found from the start's id. What is
# reached are the ancestors and descendants of the start, never its siblings.
_FROM: Final[dict[str, dict[str, str]]] = {
    "dataset": {
        "dataset_version": "dataset",
        "training_job": "dataset_version__dataset",
        "run": "dataset_version__dataset",
        "model_version": "run__dataset_version__dataset",
    },
    "dataset_version": {
        "dataset_version": "pk",
        "training_job": "dataset_version",
        "run": "dataset_version",
        "model_version": "run__dataset_version",
    },
    "training_job": {
        "dataset_version": "training_jobs",
        "training_job": "pk",
        "run": "training_job",
        "model_version": "run__training_job",
    },
    "run": {
        "dataset_version": "runs",
        "training_job": "run",
        "run": "pk",
        "model_version": "run",
    },
    "model_version": {
        "dataset_version": "runs__model_versions",
        "training_job": "run__model_versions",
        "run": "model_versions",
        "model_version": "pk",
    },
}
STARTS: Final = tuple(_FROM)


@dataclass(frozen=True)
class Node:
    """One thing in the graph.

    Attributes:
        key: names it within the graph.
        kind: its column.
        pk: None where the reader cannot see it, as for `url`.
    """

    key: str
    kind: str
    title: str
    detail: str = ""
    pk: UUID | None = None
    url: str | None = None
    is_start: bool = False


class Edge(NamedTuple):
    """The keys of what came before and of what came of it."""

    before: str
    after: str


@dataclass(frozen=True)
class Graph:
    """Nodes by column, and edges from what came before to what came of it.

    Attributes:
        cut: columns of which only the newest are here.
    """

    nodes: list[Node]
    edges: list[Edge]
    cut: list[str] = field(default_factory=list)

    def column(self, kind: str) -> list[Node]:
        """The nodes of one column."""
        return [node for node in self.nodes if node.kind == kind]

    def before(self, node: Node) -> list[Node]:
        """What `node` came from."""
        found = {source for source, target in self.edges if target == node.key}
        return [other for other in self.nodes if other.key in found]

    def after(self, node: Node) -> list[Node]:
        """What came of `node`."""
        found = {target for source, target in self.edges if source == node.key}
        return [other for other in self.nodes if other.key in found]


def limit_in(text: str | None) -> int:
    """Read how many of each column are wanted.

    Raises:
        Invalid: no number from 1 to `MOST_LIMIT`.
    """
    if not text:
        return DEFAULT_LIMIT
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MOST_LIMIT:
        sentence = f"limit must be a whole number from 1 to {MOST_LIMIT}."
        raise Invalid(sentence, fields={"limit": sentence})
    return int(text)


def lineage(start: str, pk: UUID, *, user: User, limit: int = DEFAULT_LIMIT) -> Graph:
    """Gather what something came from and what came of it.

    The number of queries is the same for every graph.

    Args:
        start: one of `STARTS`; the caller has made sure that `user` sees it.
        pk: of the start.
        user: what they cannot see is in the graph without its name.
        limit: rows of each column, the newest.
    """
    rows, cut = {}, []
    for kind, model in _MODELS.items():
        found = model.objects.filter(**{_FROM[start][kind]: pk}).order_by("-pk")
        found = found.select_related(*_JOINED[kind]).defer(*_HEAVY[kind])
        listed = list(found[: limit + 1])
        rows[kind] = listed[:limit]
        if len(listed) > limit:
            cut.append(kind)
    nodes = {
        (kind, row.pk): node
        for kind, listed in rows.items()
        for row, node in _nodes(kind, listed, user, (start, pk))
    }
    edges = [
        Edge(nodes[source].key, nodes[target].key)
        for source, target in _edges(rows)
        if source in nodes and target in nodes
    ]
    return Graph(list(nodes.values()), edges, cut)


def _nodes(
    kind: str, rows: list[Any], user: User, start: tuple[str, UUID]
) -> Iterator[tuple[Any, Node]]:
    visible = _MODELS[kind].objects.visible_to(user)
    seen = set(visible.filter(pk__in=[r.pk for r in rows]).values_list("pk", flat=True))
    for number, row in enumerate(rows):
        if row.pk not in seen:
            yield row, Node(f"{kind}-hidden-{number}", kind, HIDDEN[kind])
            continue
        title, detail = _said(kind, row)
        yield (
            row,
            Node(
                key=f"{kind}-{row.pk}",
                kind=kind,
                title=title,
                detail=detail,
                pk=row.pk,
                url=row.get_absolute_url(),
                is_start=(kind, row.pk) == start,
            ),
        )


def _said(kind: str, row: Any) -> tuple[str, str]:
    if kind == "dataset_version":
        rows = "" if row.row_count is None else f"{row.row_count:,} rows"
        return f"{row.dataset.title}, version {row.number}", (
            rows or row.get_status_display()
        )
    if kind == "training_job":
        return row.name, row.get_status_display()
    if kind == "run":
        return row.name, row.experiment.name
    return f"{row.model.name}, version {row.number}", row.get_state_display()


Place = tuple[str, "UUID | None"]


def _edges(rows: dict[str, list[Any]]) -> Iterator[tuple[Place, Place]]:
    """Pair what came before with what came of it; a job stands before its run."""
    of_jobs = {job.run_id for job in rows["training_job"]}
    for job in rows["training_job"]:
        yield ("dataset_version", job.dataset_version_id), ("training_job", job.pk)
        yield ("training_job", job.pk), ("run", job.run_id)
    for run in rows["run"]:
        if run.pk not in of_jobs:
            yield ("dataset_version", run.dataset_version_id), ("run", run.pk)
    for version in rows["model_version"]:
        yield ("run", version.run_id), ("model_version", version.pk)
