"""Registered models that a person searches for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from apps.experiments.search.conditions import (
    all_of,
    keyed_condition,
    plain,
    text_condition,
)
from apps.experiments.search.keyset import Term
from apps.experiments.search.nodes import Entity
from apps.experiments.search.pages import Sorted, read_page
from apps.experiments.search.parser import parse_filter, parse_order
from apps.experiments.search.vocabulary import REGISTERED_MODELS
from apps.registry.models import RegisteredModel, RegisteredModelTag
from apps.registry.search.names import shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.accounts.models import User
    from apps.experiments.search.nodes import Clause, Order
    from apps.projects.models import Project

PAGE = 100
# Clients ask for models that are no prompts; one without the tag is none.
PROMPT_TAG, NO_PROMPT = "mlflow.prompt.is_prompt", "false"
_TIMES = {"creation_timestamp": "created_at", "last_updated_timestamp": "updated_at"}


@dataclass(frozen=True)
class ModelSearch:
    """What somebody asks for.

    Args:
        filter: in the grammar of `parse_filter`.
        order_by: in that of `parse_order`; without it by name.
        project: only models of this one, by their plain names.
    """

    filter: str = ""
    order_by: Sequence[str] = ()
    project: Project | None = None


def search_models(
    *, user: User, search: ModelSearch, token: str = "", size: int = PAGE
) -> tuple[list[UUID], str]:
    """Find registered models that `user` can see, in one query.

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
    clauses = parse_filter(search.filter, REGISTERED_MODELS)
    orders = parse_order(search.order_by, REGISTERED_MODELS)
    rows = RegisteredModel.objects.visible_to(user)
    if search.project:
        rows = rows.filter(project=search.project)
    rows = rows.annotate(shown_name=shown_name(search.project))
    rows = rows.filter(all_of([model_condition(clause) for clause in clauses]))
    terms = [_term(order) for order in orders]
    if "shown_name" not in {term.name for term in terms}:
        terms.append(Term("shown_name", str, gaps=False))
    terms.append(Term("pk", UUID, gaps=False))
    found = Sorted(rows, terms, " ".join(map(str, orders)))
    return read_page(found, token=token, size=size)


def model_condition(clause: Clause) -> Q:
    """Say which models meet one clause."""
    if clause.key.entity is not Entity.TAG:
        return text_condition(F("shown_name"), clause)
    tags = RegisteredModelTag.objects.filter(model=OuterRef("pk"))
    met = keyed_condition(tags, clause)
    if clause.key.name != PROMPT_TAG:
        return met
    untagged = ~Q(Exists(tags.filter(key=PROMPT_TAG)))
    return met | (untagged & text_condition(plain(NO_PROMPT), clause))


def _term(order: Order) -> Term:
    if order.key.name in _TIMES:
        return Term(_TIMES[order.key.name], datetime, order.descending, gaps=False)
    return Term("shown_name", str, order.descending, gaps=False)
