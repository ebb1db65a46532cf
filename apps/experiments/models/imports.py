"""Where runs came from that were made elsewhere, and what of them came over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.core.ids import new_id
from apps.experiments.models.experiments import Experiment
from apps.experiments.models.logged_models import LoggedModel
from apps.experiments.models.runs import Run
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class RunImportQuerySet(models.QuerySet["RunImport"]):
    """Reads of imports."""

    def visible_to(self, user: User) -> Self:
        """Imports into the projects that `user` can see."""
        return self.filter(project__in=Project.objects.visible_to(user))


class RunImport(models.Model):
    """A place that runs of a project came over from, in one pass or more."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="run_imports"
    )
    # The address of a server, or a folder.
    source = models.CharField(max_length=500)
    # Of the latest pass.
    imported_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    objects = RunImportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "source"], name="one_import_per_source"
            )
        ]

    def __str__(self) -> str:
        return f"import from {self.source}"

    def get_absolute_url(self) -> str:
        return reverse("experiments:run_import", args=[self.pk])


class ItemKind(models.TextChoices):
    """What came over."""

    EXPERIMENT = "experiment", "Experiment"
    RUN = "run", "Run"
    MODEL = "model", "Logged model"
    # The registry says what became of these, see its `ImportedEntry`.
    REGISTERED_MODEL = "registered_model", "Registered model"
    MODEL_VERSION = "model_version", "Model version"


REGISTRY_KINDS = (ItemKind.REGISTERED_MODEL, ItemKind.MODEL_VERSION)


class ImportedItem(models.Model):
    """One thing of a source: what became of it here, and what did not come over."""

    id = models.BigAutoField(primary_key=True)
    run_import = models.ForeignKey(
        RunImport, on_delete=models.PROTECT, related_name="items", db_index=False
    )
    kind = models.CharField(max_length=16, choices=ItemKind.choices)
    source_id = models.CharField(max_length=250)
    name = models.CharField(max_length=500)
    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, null=True, related_name="+"
    )
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, null=True, related_name="imported"
    )
    model = models.ForeignKey(
        LoggedModel, on_delete=models.PROTECT, null=True, related_name="imported"
    )
    # Models that a run used or made there: id, use and step, until they are linked.
    uses = models.JSONField(default=list)
    # False while files are still to come.
    is_whole = models.BooleanField(default=False)
    # What did not come over, and why: sentences. Those about files are of the last
    # pass, which tries again.
    faults = models.JSONField(default=list)
    file_faults = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run_import", "kind", "source_id"], name="imported_once"
            ),
            models.CheckConstraint(
                name="imported_things_are_here",
                condition=Q(experiment__isnull=False)
                | ~Q(is_whole=True)
                | Q(kind__in=REGISTRY_KINDS),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_id}"
