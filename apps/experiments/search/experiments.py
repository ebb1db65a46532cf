"""Experiments that a person searches for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import OuterRef
from django.db.models.functions import Collate

from apps.experiments.models import Experiment, ExperimentTag
from apps.experiments.search.conditions import (
    all_of,
    identity_condition,
    keyed_condition,
    text_condition,
    time_condition,
    with_default,
)
from apps.experiments.search.keyset import Term
from apps.experiments.search.nodes import Entity
from apps.experiments.search.pages import Sorted, read_page
from apps.experiments.search.parser import parse_filter, parse_order
from apps.experiments.search.view import View, view_condition
from apps.experiments.search.vocabulary import EXPERIMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Q, QuerySet

    from apps.accounts.models import User
    from apps.experiments.search.nodes import Clause, Order

PAGE = 1000
_TIMES = {"creation_time": "created_at", "last_update_time": "updated_at"}


@dataclass(frozen=True)
class ExperimentSearch:
    """What somebody asks for.

    Args:
        filter: in the grammar of `parse_filter`.
        order_by: in that of `parse_order`; without it the newest come first.
        view: deleted experiments, others or both.
        project: only those of this project.
        default: the experiment that the id 0 in the filter means.
    """

    filter: str = ""
    order_by: Sequence[str] = ()
    view: View = View.ACTIVE
    project: UUID | None = None
    default: UUID | None = None


def search_experiments(
    *, user: User, search: ExperimentSearch, token: str = "", size: int = PAGE
) -> tuple[list[UUID], str]:
    """Find experiments that `user` can see, in one query.

    Args:
        user: who asks.
        search: what for.
        token: that the page before came with; empty for the first page.
        size: at most so many experiments, up to `LARGEST_PAGE`.

    Returns:
        Their ids in order, and the token of the next page, empty at the end.

    Raises:
        SearchError: filter, order or token cannot be read, or the size is not possible.
    """
    clauses = with_default(parse_filter(search.filter, EXPERIMENTS), search.default)
    orders = parse_order(search.order_by, EXPERIMENTS)
    rows = Experiment.objects.visible_to(user).filter(view_condition(search.view))
    if search.project:
        rows = rows.filter(project=search.project)
    rows = rows.filter(all_of([experiment_condition(clause) for clause in clauses]))
    return read_page(_sorted(rows, orders), token=token, size=size)


def experiment_condition(clause: Clause) -> Q:
    """Say which experiments meet one clause."""
    if clause.key.entity is Entity.TAG:
        tags = ExperimentTag.objects.filter(experiment=OuterRef("pk"))
        return keyed_condition(tags, clause)
    if clause.key.name == "experiment_id":
        return identity_condition(clause)
    if clause.key.name in _TIMES:
        return time_condition(_TIMES[clause.key.name], clause)
    return text_condition("name", clause)


def _sorted(rows: QuerySet[Experiment], orders: Sequence[Order]) -> Sorted:
    terms = [_term(order) for order in orders]
    if not terms:
        terms.append(Term("created_at", datetime, descending=True, gaps=False))
    if "pk" not in {term.name for term in terms}:
        terms.append(Term("pk", UUID, gaps=False))
    rows = rows.annotate(sorted_name=Collate("name", "C"))
    return Sorted(rows, terms, " ".join(map(str, orders)))


def _term(order: Order) -> Term:
    name = order.key.name
    if name == "experiment_id":
        return Term("pk", UUID, order.descending, gaps=False)
    if name in _TIMES:
        return Term(_TIMES[name], datetime, order.descending, gaps=False)
    return Term("sorted_name", str, order.descending, gaps=False)
