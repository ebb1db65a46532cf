"""Projects, their members, the mission they serve, and things hidden from some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.access.checks import has_agency_permission, project_roles_with
from apps.access.grants import granted_to
from apps.access.permissions import Permission
from apps.access.roles import PROJECT_ROLES
from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.audit.event_types import EventType

R = TypeVar("R", bound="Restrictable")


class Impact(models.TextChoices):
    """What the AI official determined."""

    UNDETERMINED = "undetermined", "Not yet determined"
    NOT_HIGH = "not_high", "Not high-impact"
    HIGH = "high", "High-impact"


class ProjectQuerySet(models.QuerySet["Project"]):
    """Reads of projects."""

    def visible_to(self, user: User) -> Self:
        """Projects `user` is a member of; all of them for who reads everything."""
        if has_agency_permission(user, Permission.PROJECT_READ):
            return self
        return self.filter(memberships__user=user)


class Project(models.Model):
    """A use of machine learning for one mission, and everything that belongs to it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    mission = models.TextField()
    impact = models.CharField(
        max_length=16, choices=Impact.choices, default=Impact.UNDETERMINED
    )
    impact_reason = models.TextField(blank=True)
    # Whether people may run their own code on the project's data.
    allows_code = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="impact_determined_with_reason",
                condition=Q(impact="undetermined") | ~Q(impact_reason=""),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("home:project", args=[self.slug])

    @property
    def project(self) -> Project:
        """Itself, so that every governed object answers `.project`."""
        return self


class Direction(models.TextChoices):
    """Whether more or less of the measure is better."""

    HIGHER = "higher", "Higher is better"
    LOWER = "lower", "Lower is better"


class Objective(models.Model):
    """What the mission gains, in its own unit, and what each kind of error costs."""

    project = models.OneToOneField(
        Project, on_delete=models.PROTECT, related_name="objective"
    )
    measure = models.CharField(max_length=200)
    unit = models.CharField(max_length=60)
    direction = models.CharField(
        max_length=8, choices=Direction.choices, default=Direction.LOWER
    )
    baseline = models.FloatField()
    target = models.FloatField()
    false_alarm_cost = models.FloatField(validators=[MinValueValidator(0.0)])
    miss_cost = models.FloatField(validators=[MinValueValidator(0.0)])
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="objective_costs_not_negative",
                condition=Q(false_alarm_cost__gte=0, miss_cost__gte=0),
            )
        ]

    def __str__(self) -> str:
        return f"{self.measure} ({self.unit})"


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Reads of memberships."""

    def visible_to(self, user: User) -> Self:
        """Members of the projects that `user` can see."""
        return self.filter(project__in=Project.objects.visible_to(user))


class Membership(models.Model):
    """One person's role in one project."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="memberships"
    )
    user = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(
        max_length=32, choices=[(role.slug, role.title) for role in PROJECT_ROLES]
    )
    added_at = models.DateTimeField(default=timezone.now)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user"], name="one_role_per_member"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.get_role_display()} in {self.project}"


@dataclass(frozen=True)
class Sharing:
    """How one kind of thing is shown to people one by one.

    Args:
        noun: what people call it.
        permission: to choose who sees it.
        with_outsiders: people who are no members can be shown a single one, too.
        restricted: the event of hiding it from members without a grant.
        opened: the event of showing it to all members again.
        granted: the event of showing it to one person.
        grant_revoked: the event of taking that back.
    """

    noun: str
    permission: Permission
    with_outsiders: bool
    restricted: EventType
    opened: EventType
    granted: EventType
    grant_revoked: EventType


class RestrictableQuerySet(models.QuerySet[R]):
    """Reads of things that can be restricted."""

    def visible_to(self, user: User) -> Self:
        """Things of visible projects, restricted ones only with a grant.

        Two see restricted things without one: who reads every project, and the
        program managers, so that each thing has somebody who can open it whoever
        leaves. Where `Sharing.with_outsiders`, a grant is enough without membership.
        """
        if has_agency_permission(user, Permission.PROJECT_READ):
            return self
        own = Membership.objects.filter(user=user)
        managing = own.filter(role__in=project_roles_with(Permission.MEMBER_MANAGE))
        of_members = Q(project__in=own.values("project"))
        managed = Q(project__in=managing.values("project"))
        granted = Q(pk__in=granted_to(user, self.model))
        if not self.model.sharing.with_outsiders:
            granted &= of_members
        return self.filter(of_members & Q(is_restricted=False) | managed | granted)


class Restrictable(models.Model):
    """A thing of a project that can be hidden from members without a grant."""

    sharing: ClassVar[Sharing]

    # Each kind gives it a name for the way back.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    is_restricted = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )

    objects = RestrictableQuerySet.as_manager()

    class Meta:
        abstract = True

    def reason_to_stay_restricted(self) -> str:
        """Say why it cannot be opened to all members; empty when it can."""
        return ""
