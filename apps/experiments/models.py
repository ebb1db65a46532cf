"""Experiments and their runs, with parameters, metrics and artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone

from apps.core.ids import new_id
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    """Reads of experiments."""

    def visible_to(self, user: User) -> Self:
        """Experiments of the projects that `user` can see."""
        return self.filter(project__in=Project.objects.visible_to(user))


class Experiment(models.Model):
    """A question pursued in a group of runs."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="experiments"
    )
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    created_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

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


class RunSource(models.TextChoices):
    """How a run came here."""

    TRAINING = "training", "Training job"
    API = "api", "REST API"
    CODE = "code", "Own code"


class RunQuerySet(models.QuerySet["Run"]):
    """Reads of runs."""

    def visible_to(self, user: User) -> Self:
        """Runs of the projects that `user` can see."""
        return self.filter(experiment__project__in=Project.objects.visible_to(user))


class Run(models.Model):
    """One finished attempt: what went in, what came out."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="runs"
    )
    name = models.CharField(max_length=120)
    source = models.CharField(max_length=16, choices=RunSource.choices)
    dataset_version = models.ForeignKey(
        "datasets.DatasetVersion",
        on_delete=models.PROTECT,
        null=True,
        related_name="runs",
    )
    # The engine's account of the run: figures, signature, split, environment.
    summary = models.JSONField(default=dict)
    recorded_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(default=timezone.now)

    objects = RunQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.experiment} · {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("experiments:run", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project that owns the experiment."""
        return self.experiment.project


class Parameter(models.Model):
    """A value that was set before the run."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="parameters")
    key = models.CharField(max_length=250)
    value = models.CharField(max_length=6000)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "key"], name="one_value_per_parameter"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class Metric(models.Model):
    """A figure measured in the run, once per step."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="metrics")
    key = models.CharField(max_length=250)
    value = models.FloatField()
    step = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "key", "step"], name="one_value_per_metric_step"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}[{self.step}]={self.value}"


class Artifact(models.Model):
    """A file that the run left behind."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="artifacts")
    path = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "path"], name="one_artifact_per_path"
            )
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def holds_data(self) -> bool:
        """Say whether the file holds rows of a dataset: every table does."""
        return self.path.lower().endswith((".parquet", ".csv"))
