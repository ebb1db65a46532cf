"""Runs that a person searches for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import (
    Case,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    UUIDField,
    When,
)
from django.db.models.functions import Cast, Collate, Concat

from apps.experiments.models import (
    DatasetInput,
    LatestMetric,
    Parameter,
    Run,
    RunTag,
)
from apps.experiments.search.conditions import (
    all_of,
    hex_of,
    identity_condition,
    indexed_text_condition,
    keyed_condition,
    plain,
    text_condition,
    time_condition,
)
from apps.experiments.search.keyset import Term
from apps.experiments.search.nodes import Entity, Key, Operator
from apps.experiments.search.pages import Sorted, read_page
from apps.experiments.search.parser import parse_filter, parse_order
from apps.experiments.search.view import View, view_condition
from apps.experiments.search.vocabulary import RUNS
from apps.experiments.search.walking import Condition, walk_along

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from django.db.models import Model, QuerySet
    from django.db.models.expressions import Combinable

    from apps.accounts.models import User
    from apps.experiments.search.nodes import Clause, Order

PAGE = 1000
PARENT = Key(Entity.TAG, "mlflow.parentRunId")
IDENTITY = "^[0-9a-f]{32}$"
_STARTED = Key(Entity.ATTRIBUTE, "start_time")
_IDENTITY = Key(Entity.ATTRIBUTE, "run_id")
_TIMES = {"start_time": "started_at", "end_time": "ended_at"}
_COLUMNS = {"run_name": "name", "user_id": "claimed_user", "status": "status"}
_TABLES: dict[Entity, tuple[type[Model], str]] = {
    Entity.METRIC: (LatestMetric, "latest_metrics"),
    Entity.PARAMETER: (Parameter, "parameters"),
    Entity.TAG: (RunTag, "tags"),
}


@dataclass(frozen=True)
class RunSearch:
    """What somebody asks for.

    Args:
        experiments: ids; runs of others are not found.
        filter: in the grammar of `parse_filter`.
        order_by: in that of `parse_order`; newest first where these leave it open.
        view: deleted runs, others or both.
        folded: leave out runs that name another of those found as their parent.
    """

    experiments: Collection[UUID]
    filter: str = ""
    order_by: Sequence[str] = ()
    view: View = View.ACTIVE
    folded: bool = False


def search_runs(
    *, user: User, search: RunSearch, token: str = "", size: int = PAGE
) -> tuple[list[UUID], str]:
    """Find runs that `user` can see, in at most three queries.

    Args:
        user: who asks.
        search: what for.
        token: that the page before came with; empty for the first page.
        size: at most so many runs, up to `LARGEST_PAGE`.

    Returns:
        Their ids in order, and the token of the next page, empty at the end.

    Raises:
        SearchError: filter, order or token cannot be read, or the size is not possible.
    """
    clauses: Sequence[Clause] = parse_filter(search.filter, RUNS)
    orders = parse_order(search.order_by, RUNS)
    everything = Run.objects.visible_to(user).filter(
        _in(search.experiments), view_condition(search.view)
    )
    # What is equal to something is rare more often than what is not.
    clauses = sorted(clauses, key=lambda one: one.operator is not Operator.EQUAL)
    conditions = [Condition(run_condition(one), _holders(one)) for one in clauses]
    if search.folded:
        listed = everything.filter(all_of([one.asked for one in conditions]))
        conditions.append(Condition(~_nested_in(listed)))
    found = _sorted(everything, orders)
    walk = None
    if orders and orders[0].key.entity is Entity.METRIC:
        walk = walk_along(
            orders[0].key.name,
            found.rows,
            conditions,
            joined=_joined(found.terms[0].name),
        )
    rows = found.rows.filter(all_of([one.asked for one in conditions]))
    found = replace(found, rows=rows, walk=walk)
    return read_page(found, token=token, size=size)


def _nested_in(listed: QuerySet[Run]) -> Q:
    """Ask whether a run names one of `listed`, not itself, as its parent."""
    tags = RunTag.objects.filter(run=OuterRef("pk"), key=PARENT.name)
    # Clients may write anything; only what is an id is read as one.
    is_id = When(value__regex=IDENTITY, then=Cast("value", UUIDField()))
    named = tags.annotate(named=Case(is_id, output_field=UUIDField()))
    parents = listed.filter(pk=OuterRef("named")).exclude(pk=OuterRef("run"))
    return Q(Exists(named.filter(Exists(parents))))


def run_condition(clause: Clause) -> Q:
    """Say which runs meet one clause."""
    name = clause.key.name
    if clause.key.entity is Entity.DATASET:
        inputs = DatasetInput.objects.filter(run=OuterRef("pk"))
        return Q(Exists(inputs.filter(text_condition(name, clause))))
    if clause.key.entity in _TABLES:
        table, _ = _TABLES[clause.key.entity]
        return keyed_condition(
            table._default_manager.filter(run=OuterRef("pk")), clause
        )
    if name == "run_id":
        return identity_condition(clause)
    if name in _TIMES:
        return time_condition(_TIMES[name], clause)
    return text_condition(_attribute(name), clause)


def _holders(clause: Clause) -> QuerySet[Any] | None:
    """Find rows of all runs that meet a clause, where an index of values does."""
    is_text = clause.key.entity in (Entity.PARAMETER, Entity.TAG)
    if not is_text or clause.operator is not Operator.EQUAL:
        return None
    table, _ = _TABLES[clause.key.entity]
    rows = table._default_manager.filter(key=clause.key.name)
    return rows.filter(indexed_text_condition("value", clause))


def _in(experiments: Collection[UUID]) -> Q:
    """Name a single experiment plainly: then its index gives runs in order."""
    if len(experiments) == 1:
        return Q(experiment=next(iter(experiments)))
    return Q(experiment__in=experiments)


def _attribute(name: str) -> Combinable:
    if name == "artifact_uri":
        folder = hex_of("experiment_id"), plain("/"), hex_of("pk")
        return Concat(plain("mlflow-artifacts:/"), *folder, plain("/artifacts"))
    return F(_COLUMNS[name])


def _sorted(rows: QuerySet[Run], orders: Sequence[Order]) -> Sorted:
    terms: list[Term] = []
    for place, order in enumerate(orders):
        rows, term = _term(rows, order, f"order_{place}")
        terms.append(term)
    named = {order.key for order in orders}
    if _IDENTITY not in named:
        if _STARTED not in named:
            terms.append(Term("started_at", datetime, descending=True, gaps=False))
        terms.append(Term("pk", UUID, gaps=False))
    return Sorted(rows, terms, " ".join(map(str, orders)))


def _joined(name: str) -> str:
    """Name the relation that brings the value of a term."""
    return f"{name}_row"


def _term(rows: QuerySet[Run], order: Order, name: str) -> tuple[QuerySet[Run], Term]:
    """Join what an order needs, as an annotation of this name."""
    key, descending = order.key, order.descending
    if key == _IDENTITY:
        return rows, Term("pk", UUID, descending, gaps=False)
    if key.entity is Entity.ATTRIBUTE and key.name in _TIMES:
        gaps = key != _STARTED
        return rows, Term(_TIMES[key.name], datetime, descending, gaps)
    if key.entity is Entity.ATTRIBUTE:
        column = Collate(_attribute(key.name), "C")
        return rows.annotate(**{name: column}), Term(name, str, descending, gaps=False)
    _, relation = _TABLES[key.entity]
    logged = FilteredRelation(relation, condition=Q(**{f"{relation}__key": key.name}))
    value = F(f"{_joined(name)}__value")
    rows = rows.annotate(**{_joined(name): logged})
    if key.entity is Entity.METRIC:
        return rows.annotate(**{name: value}), Term(name, float, descending)
    return rows.annotate(**{name: Collate(value, "C")}), Term(name, str, descending)
