"""Groups of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone

from apps.core.ids import new_id
from apps.experiments.models.keyed import KeyedValue
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User

DEFAULT_NAME = "Default"  # where a script logs that names no experiment


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    """Reads of experiments."""

    def visible_to(self, user: User) -> Self:
        """Experiments of the projects that `user` can see."""
        return self.filter(project__in=Project.objects.visible_to(user))

    def active(self) -> Self:
        """Those that nobody deleted."""
        return self.filter(deleted_at__isnull=True)


class Experiment(models.Model):
    """A question pursued in a group of runs."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="experiments"
    )
    name = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    created_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    # Put aside, not gone: everything in it stays and can be brought back.
    deleted_at = models.DateTimeField(null=True)

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="one_experiment_per_name"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project.slug}/{self.name}"

    def get_absolute_url(self) -> str:
        return reverse("experiments:experiment", args=[self.pk])


class ExperimentTag(KeyedValue):
    """A word about an experiment, with its value; either may be changed."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="tags", db_index=False
    )
    value = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "key"], name="one_value_per_experiment_tag"
            )
        ]
