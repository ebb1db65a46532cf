"""Signing in somebody's place for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apps.access.roles import ADMINISTRATOR, AUDITOR, PROJECT_ROLES
from apps.core.ids import new_id
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User

# Whoever holds one of these agency roles signs for nobody.
NEVER_SIGNING = frozenset({ADMINISTRATOR.slug, AUDITOR.slug})


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Reads of delegations."""

    def visible_to(self, user: User) -> Self:
        """Those in the projects that `user` can see."""
        return self.filter(project__in=Project.objects.visible_to(user))

    def standing(self) -> Self:
        """Those that are not over and were not ended."""
        return self.filter(revoked_at=None, ends_on__gte=timezone.localdate())

    def usable(self) -> Self:
        """Those by which somebody may sign today.

        The giver must hold the role still, in their own right, and the receiver must
        be a member still.
        """
        return (
            self.standing()
            .filter(
                starts_on__lte=timezone.localdate(),
                giver__is_active=True,
                giver__memberships__project=F("project"),
                giver__memberships__role=F("role"),
                receiver__is_active=True,
                receiver__memberships__project=F("project"),
            )
            .exclude(giver__agency_roles__contains=[ADMINISTRATOR.slug])
            .exclude(receiver__agency_roles__overlap=sorted(NEVER_SIGNING))
        )


class Delegation(models.Model):
    """One member lets another sign in their place in one project, for some days."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    giver = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    receiver = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    # The role of the giver, in which the receiver signs.
    role = models.CharField(
        max_length=32, choices=[(role.slug, role.title) for role in PROJECT_ROLES]
    )
    # Both days count, in the time zone of the portal.
    starts_on = models.DateField()
    ends_on = models.DateField()
    given_at = models.DateTimeField(default=timezone.now)
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
                condition=Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="delegation_revoked_by_somebody",
                condition=Q(revoked_at=None, revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receiver} for {self.giver} in {self.project}"

    @property
    def standing(self) -> str:
        """Where it stands today, in a word."""
        today = timezone.localdate()
        if self.revoked_at:
            return "revoked"
        if self.ends_on < today:
            return "over"
        return "to come" if self.starts_on > today else "in force"
