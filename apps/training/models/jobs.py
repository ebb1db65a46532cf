"""Training jobs: a specification, a dataset version, and at the end a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.datasets.models import DatasetVersion
from apps.experiments.models import Experiment
from apps.jobs.models import BackgroundJob, JobKind, JobQuerySet, JobStatus
from apps.projects.models import Project
from engine.spec import ESTIMATORS

if TYPE_CHECKING:
    from apps.accounts.models import User


class TrainingJobQuerySet(JobQuerySet["TrainingJob"]):
    """Reads of training jobs."""

    def visible_to(self, user: User) -> Self:
        """Jobs of the projects that `user` can see."""
        return self.filter(experiment__project__in=Project.objects.visible_to(user))


class TrainingJob(BackgroundJob):
    """Somebody's wish to train one estimator on one dataset version."""

    kind = JobKind(
        task="training.run_training",
        events={
            JobStatus.QUEUED: EventType.TRAINING_REQUEUED,
            JobStatus.RUNNING: EventType.TRAINING_STARTED,
            JobStatus.SUCCEEDED: EventType.TRAINING_FINISHED,
            JobStatus.FAILED: EventType.TRAINING_FAILED,
            JobStatus.CANCELLED: EventType.TRAINING_CANCELLED,
        },
        cancel_requested=EventType.TRAINING_CANCEL_REQUESTED,
        cancel_permission=Permission.TRAINING_LAUNCH,
        lost_message="The worker stopped {attempts} times during this training. Use "
        "less data or a smaller search, or ask an operator.",
    )

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="training_jobs"
    )
    dataset_version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="training_jobs"
    )
    name = models.CharField(max_length=120)
    # What the engine gets: engine.spec.TrainSpec as JSON.
    spec = models.JSONField()
    launched_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    run = models.OneToOneField(
        "experiments.Run",
        on_delete=models.PROTECT,
        null=True,
        related_name="training_job",
    )
    # The job that failed or was cancelled, of which this is another attempt.
    relaunch_of = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="relaunch"
    )
    # The same form sent twice launches one job.
    submission_key = models.UUIDField(null=True, unique=True)

    objects = TrainingJobQuerySet.as_manager()

    class Meta(BackgroundJob.Meta):
        constraints = [
            *BackgroundJob.Meta.constraints,
            models.CheckConstraint(
                name="training_job_succeeded_has_run",
                condition=Q(status="succeeded", run__isnull=False)
                | (~Q(status="succeeded") & Q(run__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"training job {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("training:training_job", args=[self.pk])

    @property
    def model_kind(self) -> str:
        """The kind of model it trains, as the launch form calls it."""
        return ESTIMATORS[self.spec["estimator"]].title

    @property
    def project(self) -> Project:
        """The project of the experiment."""
        return self.experiment.project
