"""One attempt: finished when it is recorded, or logged while it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone

from apps.core.ids import new_id
from apps.experiments.models.experiments import Experiment
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class RunSource(models.TextChoices):
    """How a run came here."""

    TRAINING = "training", "Training job"
    API = "api", "REST API"
    CODE = "code", "Own code"
    MLFLOW = "mlflow", "MLflow client"
    IMPORT = "import", "Imported from MLflow"
    FILE = "file", "Uploaded file"


class RunStatus(models.TextChoices):
    """How far a run is; in the words of MLflow, by which people search."""

    RUNNING = "RUNNING", "Running"
    SCHEDULED = "SCHEDULED", "Scheduled"
    FINISHED = "FINISHED", "Finished"
    FAILED = "FAILED", "Failed"
    KILLED = "KILLED", "Killed"


# What these logged may grow; all other runs were recorded whole.
GROWING = frozenset({RunSource.MLFLOW, RunSource.IMPORT})
ENDED = frozenset({RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED})


class RunQuerySet(models.QuerySet["Run"]):
    """Reads of runs."""

    def visible_to(self, user: User) -> Self:
        """Runs of the projects that `user` can see."""
        return self.filter(experiment__project__in=Project.objects.visible_to(user))

    def active(self) -> Self:
        """Those that nobody deleted."""
        return self.filter(deleted_at__isnull=True)

    def became_models(self) -> Self:
        """Those that were registered, and whose versions nobody deleted since.

        Asked over the relation: the registry stands above and cannot be imported.
        """
        return self.filter(
            model_versions__isnull=False, model_versions__deleted_at__isnull=True
        ).distinct()


class Run(models.Model):
    """One attempt: what went in, what came out."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Its index is the one of the experiment's newest runs, below.
    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    name = models.CharField(max_length=250)
    source = models.CharField(max_length=16, choices=RunSource.choices)
    status = models.CharField(
        max_length=16, choices=RunStatus.choices, default=RunStatus.FINISHED
    )
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    # Whom the client named; who really sent it is `recorded_by`.
    claimed_user = models.CharField(max_length=250, blank=True)
    deleted_at = models.DateTimeField(null=True)
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

    class Meta:
        indexes = [
            models.Index(
                "experiment", models.F("started_at").desc(), "id", name="runs_by_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment} · {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("experiments:run", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project that owns the experiment."""
        return self.experiment.project

    @property
    def has_ended(self) -> bool:
        """Say whether it is finished, failed or killed."""
        return self.status in ENDED
