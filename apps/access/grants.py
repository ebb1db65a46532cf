"""Grants on single objects: who may see a restricted dataset or model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Cast
from guardian.models import UserObjectPermission

if TYPE_CHECKING:
    from apps.accounts.models import User


def view_permission(model: type[models.Model]) -> str:
    """Name the permission that a grant gives: seeing the object."""
    return f"view_{model._meta.model_name}"


def granted_to(user: User, model: type[models.Model]) -> models.QuerySet[Any, Any]:
    """Keys of the objects of `model` that `user` was granted one by one.

    Asked of the table of grants itself: guardian's shortcut reads `model` twice more,
    and this is a part of nearly every statement.
    """
    kind = ContentType.objects.get_for_model(model)
    grants: models.QuerySet[Any, Any] = (
        UserObjectPermission.objects.filter(
            user=user,
            content_type=kind,
            permission__codename=view_permission(model),
            permission__content_type=kind,
        )
        .annotate(key=Cast("object_pk", model._meta.pk))
        .values("key")
    )
    return grants
