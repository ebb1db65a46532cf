"""Model versions that a person searches for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F, FloatField, OuterRef
from django.db.models.functions import Cast

from apps.experiments.search.conditions import (
    all_of,
    hex_of,
    keyed_condition,
    number_condition,
    text_condition,
)
from apps.experiments.search.keyset import Term
from apps.experiments.search.nodes import Entity
from apps.experiments.search.pages import Sorted, read_page
from apps.experiments.search.parser import parse_filter, parse_order
from apps.experiments.search.vocabulary import MODEL_VERSIONS
from apps.registry.models import ModelVersion, ModelVersionTag
from apps.registry.search.names import shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Q

    from apps.accounts.models import User
    from apps.experiments.search.nodes import Clause, Order
    from apps.projects.models import Project

PAGE = 10_000
_TIMES = {"creation_timestamp": "created_at", "last_updated_timestamp": "updated_at"}
_TEXTS = {
    "name": F("shown_name"),
    "run_id": hex_of("run_id"),
    "source_path": F("source"),
}


@dataclass(frozen=True)
class VersionSearch:
    """What somebody asks for.

    Args:
        filter: in the grammar of `parse_filter`.
        order_by: in that of `parse_order`; ties go by name, then the newest first.
        project: only versions of its models, by their plain names.
    """

    filter: str = ""
    order_by: Sequence[str] = ()
    project: Project | None = None


def search_versions(
    *, user: User, search: VersionSearch, token: str = "", size: int = PAGE
) -> tuple[list[UUID], str]:
    """Find model versions that `user` can see, in one query.

    Args:
        user: who asks.
        search: what for.
        token: that the page before came with; empty for the first page.
        size: at most so many versions, up to `LARGEST_PAGE`.

    Returns:
        Their ids in order, and the token of the next page, empty at the end.

    Raises:
        SearchError: filter, order or token cannot be read, or the size is not possible.
    """
    clauses = parse_filter(search.filter, MODEL_VERSIONS)
    orders = parse_order(search.order_by, MODEL_VERSIONS)
    rows = ModelVersion.objects.visible_to(user)
    if search.project:
        rows = rows.filter(model__project=search.project)
    rows = rows.annotate(
        shown_name=shown_name(search.project, "model__"),
        # Numbers of a filter may be fractions, and too large for a column.
        counted=Cast("number", FloatField()),
    )
    rows = rows.filter(all_of([version_condition(clause) for clause in clauses]))
    terms = [_term(order) for order in orders]
    sorted_by = {term.name for term in terms}
    if "shown_name" not in sorted_by:
        terms.append(Term("shown_name", str, gaps=False))
    if "counted" not in sorted_by:
        terms.append(Term("counted", float, descending=True, gaps=False))
    found = Sorted(rows, terms, " ".join(map(str, orders)))
    return read_page(found, token=token, size=size)


def version_condition(clause: Clause) -> Q:
    """Say which versions meet one clause."""
    if clause.key.entity is Entity.TAG:
        tags = ModelVersionTag.objects.filter(version=OuterRef("pk"))
        return keyed_condition(tags, clause)
    if clause.key.name == "version_number":
        return number_condition("counted", clause)
    return text_condition(_TEXTS[clause.key.name], clause)


def _term(order: Order) -> Term:
    name = order.key.name
    if name in _TIMES:
        return Term(_TIMES[name], datetime, order.descending, gaps=False)
    if name == "version_number":
        return Term("counted", float, order.descending, gaps=False)
    return Term("shown_name", str, order.descending, gaps=False)
