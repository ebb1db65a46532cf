"""Logged models that a person searches for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Collate, Concat

from apps.experiments.models import (
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParameter,
    LoggedModelTag,
)
from apps.experiments.search.conditions import (
    all_of,
    hex_of,
    keyed_condition,
    plain,
    text_condition,
    time_condition,
    with_default,
)
from apps.experiments.search.keyset import Term
from apps.experiments.search.nodes import Entity, Key, SearchError
from apps.experiments.search.pages import Sorted, read_page
from apps.experiments.search.parser import parse_filter, parse_order
from apps.experiments.search.view import View, view_condition
from apps.experiments.search.vocabulary import LOGGED_MODELS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from django.db.models import Model, QuerySet
    from django.db.models.expressions import Combinable

    from apps.accounts.models import User
    from apps.experiments.search.nodes import Clause, Order

PAGE = 100
_TIMES = {"creation_timestamp": "created_at", "last_updated_timestamp": "updated_at"}
_TABLES: dict[Entity, type[Model]] = {
    Entity.PARAMETER: LoggedModelParameter,
    Entity.TAG: LoggedModelTag,
}
_IDENTITY = Key(Entity.ATTRIBUTE, "model_id")
_CREATED = Key(Entity.ATTRIBUTE, "creation_timestamp")


class MeasuredOn(NamedTuple):
    """Data that a metric was measured on; an empty name or digest means any."""

    name: str
    digest: str = ""

    def condition(self) -> Q:
        """Say which points were measured on it."""
        asked = {"dataset_name": self.name, "dataset_digest": self.digest}
        return Q(**{column: value for column, value in asked.items() if value})


class ModelOrder(NamedTuple):
    """What to sort by.

    Args:
        field: a key such as `metrics.auc` or `name`.
        descending: largest first.
        dataset: only points of this metric count that were measured on it.
    """

    field: str
    descending: bool = False
    dataset: MeasuredOn | None = None


@dataclass(frozen=True)
class LoggedModelSearch:
    """What somebody asks for.

    Args:
        experiments: ids; models of others are not found.
        filter: in the grammar of `parse_filter`.
        datasets: metrics were measured on one of these; empty for any.
        order_by: newest first where these leave it open.
        default: the experiment that the id 0 in the filter means.
    """

    experiments: Collection[UUID]
    filter: str = ""
    datasets: Sequence[MeasuredOn] = ()
    order_by: Sequence[ModelOrder] = ()
    default: UUID | None = None


def search_logged_models(
    *, user: User, search: LoggedModelSearch, token: str = "", size: int = PAGE
) -> tuple[list[UUID], str]:
    """Find logged models that `user` can see and nobody deleted, in one query.

    A metric meets a clause when one of its points does. With datasets and no clause on
    a metric, models are found of which anything was measured on these. Models are
    sorted by the newest point of a metric.

    Args:
        user: who asks.
        search: what for.
        token: that the page before came with; empty for the first page.
        size: at most so many models, up to `LARGEST_PAGE`.

    Returns:
        Their ids in order, and the token of the next page, empty at the end.

    Raises:
        SearchError: filter, order or token cannot be read, or the size is not possible.
    """
    clauses = with_default(parse_filter(search.filter, LOGGED_MODELS), search.default)
    conditions = [model_condition(clause, search.datasets) for clause in clauses]
    by_metric = any(one.key.entity is Entity.METRIC for one in clauses)
    if search.datasets and not by_metric:
        points = LoggedModelMetric.objects.filter(model=OuterRef("pk"))
        conditions.append(Q(Exists(points.filter(_measured_on(search.datasets)))))
    rows = LoggedModel.objects.visible_to(user).filter(
        view_condition(View.ACTIVE),
        all_of(conditions),
        experiment__in=search.experiments,
    )
    return read_page(_sorted(rows, search), token=token, size=size)


def model_condition(clause: Clause, datasets: Sequence[MeasuredOn] = ()) -> Q:
    """Say which logged models meet one clause."""
    entity, name = clause.key.entity, clause.key.name
    if entity is Entity.METRIC:
        points = LoggedModelMetric.objects.filter(model=OuterRef("pk"))
        return keyed_condition(points.filter(_measured_on(datasets)), clause)
    if entity in _TABLES:
        rows = _TABLES[entity]._default_manager.filter(model=OuterRef("pk"))
        return keyed_condition(rows, clause)
    if name in _TIMES:
        return time_condition(_TIMES[name], clause)
    return text_condition(_attribute(name), clause)


def _measured_on(datasets: Sequence[MeasuredOn]) -> Q:
    measured = Q()
    for one in datasets:
        measured |= one.condition()
    return measured


def _attribute(name: str) -> Combinable:
    if name == "model_id":
        return Concat(plain("m-"), hex_of("pk"))
    if name in ("source_run_id", "experiment_id"):
        return hex_of(name)
    return F(name)


def _sorted(rows: QuerySet[LoggedModel], search: LoggedModelSearch) -> Sorted:
    terms: list[Term] = []
    named: set[Key] = set()
    for place, each in enumerate(search.order_by):
        direction = "DESC" if each.descending else "ASC"
        for order in parse_order([f"{each.field} {direction}"], LOGGED_MODELS):
            rows, term = _term(rows, order, each.dataset, f"order_{place}")
            terms.append(term)
            named.add(order.key)
    if _IDENTITY not in named:
        if _CREATED not in named:
            terms.append(Term("created_at", datetime, descending=True, gaps=False))
        terms.append(Term("pk", UUID, gaps=False))
    asked = replace(search, experiments=sorted(search.experiments))
    return Sorted(rows, terms, repr(asked))


def _term(
    rows: QuerySet[LoggedModel], order: Order, dataset: MeasuredOn | None, name: str
) -> tuple[QuerySet[LoggedModel], Term]:
    """Add what an order needs, as an annotation of this name."""
    key, descending = order.key, order.descending
    if key.entity is Entity.METRIC:
        points = LoggedModelMetric.objects.filter(model=OuterRef("pk"), key=key.name)
        if dataset:
            points = points.filter(dataset.condition())
        newest = points.order_by("-timestamp", "-step", "-value").values("value")[:1]
        rows = rows.annotate(**{name: Subquery(newest)})
        return rows, Term(name, float, descending)
    if dataset:
        raise SearchError(
            f"Invalid order_by clause: a dataset belongs to a metric, not to {key}."
        )
    if key == _IDENTITY:
        return rows, Term("pk", UUID, descending, gaps=False)
    if key.name in _TIMES:
        return rows, Term(_TIMES[key.name], datetime, descending, gaps=False)
    rows = rows.annotate(**{name: Collate("name", "C")})
    return rows, Term(name, str, descending, gaps=False)


def load_logged_models(ids: Sequence[UUID]) -> list[LoggedModel]:
    """Read logged models with their projects; they keep the order of `ids`."""
    rows = LoggedModel.objects.select_related("experiment__project").in_bulk(ids)
    return [rows[one] for one in ids if one in rows]
