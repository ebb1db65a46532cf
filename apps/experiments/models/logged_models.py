"""Models that a run logged: files of their own, beside those of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models.functions import Left
from django.utils import timezone

from apps.core.ids import new_id
from apps.experiments.models.artifacts import StoredFile
from apps.experiments.models.experiments import Experiment
from apps.experiments.models.keyed import KeyedValue
from apps.experiments.models.runs import Run
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class LoggedModelStatus(models.TextChoices):
    """Whether the files of a model are there."""

    PENDING = "PENDING", "Being uploaded"
    READY = "READY", "Ready"
    UPLOAD_FAILED = "UPLOAD_FAILED", "Upload failed"


class LoggedModelQuerySet(models.QuerySet["LoggedModel"]):
    """Reads of logged models."""

    def visible_to(self, user: User) -> Self:
        """Models of the projects that `user` can see."""
        return self.filter(experiment__project__in=Project.objects.visible_to(user))

    def active(self) -> Self:
        """Those that nobody deleted."""
        return self.filter(deleted_at__isnull=True)


class LoggedModel(models.Model):
    """A model as a script saved it; a candidate for the registry."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Its index is the one of the experiment's newest models, below.
    experiment = models.ForeignKey(
        Experiment,
        on_delete=models.PROTECT,
        related_name="logged_models",
        db_index=False,
    )
    name = models.CharField(max_length=500)
    model_type = models.CharField(max_length=500, blank=True)
    # The run that saved it; a model can be saved outside of any.
    source_run = models.ForeignKey(
        Run, on_delete=models.PROTECT, null=True, related_name="logged_models"
    )
    status = models.CharField(
        max_length=16,
        choices=LoggedModelStatus.choices,
        default=LoggedModelStatus.PENDING,
    )
    status_message = models.TextField(blank=True)
    recorded_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    # Put aside, not gone.
    deleted_at = models.DateTimeField(null=True)

    objects = LoggedModelQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                "experiment",
                models.F("created_at").desc(),
                "id",
                name="logged_models_by_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.experiment} · {self.name}"

    @property
    def project(self) -> Project:
        """The project that owns the experiment."""
        return self.experiment.project

    @property
    def public_id(self) -> str:
        """The id as clients of MLflow know it."""
        return f"m-{self.pk.hex}"


class LoggedModelFile(StoredFile):
    """A file of a logged model."""

    model = models.ForeignKey(
        LoggedModel, on_delete=models.PROTECT, related_name="files", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "path"], name="one_model_file_per_path"
            )
        ]


class LoggedModelParameter(KeyedValue):
    """A value that the model was made with; it never changes."""

    model = models.ForeignKey(
        LoggedModel, on_delete=models.PROTECT, related_name="parameters", db_index=False
    )
    value = models.CharField(max_length=6000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "key"], name="one_value_per_model_parameter"
            )
        ]
        indexes = [
            models.Index("key", Left("value", 100), name="logged_models_by_param")
        ]


class LoggedModelTag(KeyedValue):
    """A word about a logged model, with its value, which may change."""

    model = models.ForeignKey(
        LoggedModel, on_delete=models.PROTECT, related_name="tags", db_index=False
    )
    value = models.CharField(max_length=8000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "key"], name="one_value_per_model_tag"
            )
        ]
        indexes = [models.Index("key", Left("value", 100), name="logged_models_by_tag")]


class LoggedModelMetric(models.Model):
    """A figure of a run that speaks of one model, and may be of one dataset.

    It is a point of the run as well: the same segment of logging holds both.
    """

    id = models.BigAutoField(primary_key=True)
    model = models.ForeignKey(
        LoggedModel, on_delete=models.PROTECT, related_name="metrics", db_index=False
    )
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="model_metrics", db_index=False
    )
    key = models.CharField(max_length=250)
    # Milliseconds since 1970, UTC, by the clock of who measured.
    timestamp = models.BigIntegerField()
    step = models.BigIntegerField(default=0)
    value = models.FloatField()
    # Of the data it was measured on; empty where nobody said.
    dataset_name = models.CharField(max_length=500, blank=True)
    dataset_digest = models.CharField(max_length=36, blank=True)
    segment = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "model",
                    "key",
                    "run",
                    "timestamp",
                    "step",
                    "value",
                    "dataset_name",
                    "dataset_digest",
                ],
                name="one_point_of_a_model",
            )
        ]
        indexes = [
            models.Index(fields=["run", "segment"], name="model_points_by_segment")
        ]

    def __str__(self) -> str:
        return f"{self.key}[{self.step}]={self.value}"


class ModelUse(models.TextChoices):
    """What a run had to do with a logged model."""

    INPUT = "input", "Used"
    OUTPUT = "output", "Made"


class RunModel(models.Model):
    """A logged model that a run used or made."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="model_uses", db_index=False
    )
    model = models.ForeignKey(
        LoggedModel, on_delete=models.PROTECT, related_name="uses"
    )
    use = models.CharField(max_length=8, choices=ModelUse.choices)
    # Of the training, where the model was made; 0 where it was used.
    step = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "use", "model"], name="one_use_of_a_model"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_public_id} ({self.use})"

    @property
    def model_public_id(self) -> str:
        """The id of the model as clients of MLflow know it."""
        return f"m-{self.model_id.hex}"
