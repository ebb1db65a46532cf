"""Filters that people keep for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import quote, quote_plus
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models import User


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    """What people keep to ask again."""

    def visible_to(self, user: User) -> Self:
        """Only one's own, by name."""
        return self.filter(owner_id=user.pk).order_by("name")

    def keep(self, *, owner: User, name: str, query: str) -> SavedFilter:
        """Save a filter; one of the same name is replaced."""
        kept, _ = self.update_or_create(
            owner_id=owner.pk, name=name, defaults={"query": query}
        )
        return kept

    def about(self, subject_id: UUID, names: list[str]) -> Self:
        """Those of a person, and those in which others look for them by name."""
        wanted = Q(owner_id=subject_id)
        for name in names:
            for spelled in (name, quote(name), quote_plus(name)):
                wanted |= Q(query__icontains=spelled) | Q(name__icontains=spelled)
        return self.filter(wanted)

    def forget(self) -> None:
        """Delete these."""
        self.delete()


class SavedFilter(models.Model):
    """A question to the trail that somebody asks again; nobody else sees it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner_id = models.UUIDField(editable=False)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000, editable=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner_id", "name"], name="one_saved_filter_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name
