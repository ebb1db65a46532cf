"""Projects, their members and the mission they serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.access.checks import has_agency_permission
from apps.access.permissions import Permission
from apps.access.roles import PROJECT_ROLES
from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models import User


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
