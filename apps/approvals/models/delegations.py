"""Signing in somebody's place for a time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apps.access.roles import ROLES
from apps.core.ids import new_id
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Reads of delegations."""

    def visible_to(self, user: User) -> Self:
        """Those given or received, and those in the projects that `user` can see."""
        projects = Project.objects.visible_to(user)
        return self.filter(Q(giver=user) | Q(receiver=user) | Q(project__in=projects))

    def in_force(self, at: datetime | None = None) -> Self:
        """Those by which somebody may sign at a moment; now, without one."""
        at = at or timezone.now()
        return self.filter(revoked_at=None, starts_at__lte=at, ends_at__gt=at)


class Delegation(models.Model):
    """One person lets another sign in their place: from, until, and for what."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    giver = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    receiver = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    # The role in which the receiver signs, which the giver must hold when they do.
    role = models.CharField(
        max_length=32, choices=[(role.slug, role.title) for role in ROLES.values()]
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = DelegationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="delegation_to_somebody_else", condition=~Q(giver=F("receiver"))
            ),
            models.CheckConstraint(
                name="delegation_ends_after_it_starts",
                condition=Q(ends_at__gt=F("starts_at")),
            ),
            models.CheckConstraint(
                name="delegation_revoked_by_somebody",
                condition=Q(revoked_at=None, revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receiver} for {self.giver} in {self.project}"
