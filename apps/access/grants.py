"""Grants on single objects: who may see a restricted dataset or model."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db import models
from guardian.shortcuts import get_objects_for_user

if TYPE_CHECKING:
    from apps.accounts.models import User

M = TypeVar("M", bound=models.Model)


def view_permission(model: type[models.Model]) -> str:
    """Name the permission that a grant gives: seeing the object."""
    return f"view_{model._meta.model_name}"


def granted_to(user: User, model: type[M]) -> models.QuerySet[M]:
    """Objects of `model` that `user` was granted one by one."""
    granted: models.QuerySet[M] = get_objects_for_user(
        user,
        view_permission(model),
        klass=model,
        use_groups=False,
        with_superuser=False,
        accept_global_perms=False,
    )
    return granted
