"""Which of the active and the deleted are asked for."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Q


class View(StrEnum):
    """Which runs or experiments are asked for; named as MLflow's clients name them."""

    ACTIVE = "ACTIVE_ONLY"
    DELETED = "DELETED_ONLY"
    ALL = "ALL"


def view_condition(view: View) -> Q:
    """Say which rows are in a view."""
    if view is View.ALL:
        return Q()
    return Q(deleted_at__isnull=view is View.ACTIVE)
