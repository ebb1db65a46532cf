"""Registered models, their versions, aliases and cards."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Left
from django.urls import reverse
from django.utils import timezone

from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.core.errors import WrongState
from apps.core.ids import new_id
from apps.experiments.models import ImportedItem, KeyedValue, LoggedModel, Run
from apps.projects.models import (
    Project,
    Restrictable,
    RestrictableQuerySet,
    Sharing,
)

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.datasets.models import DatasetVersion

MOST_IMPORTS_TOLD = 5


class RegisteredModelQuerySet(RestrictableQuerySet["RegisteredModel"]):
    """Reads of registered models."""

    def visible_to(self, user: User) -> Self:
        """Models that `user` can see and nobody deleted."""
        return super().visible_to(user).active()

    def active(self) -> Self:
        """Those that nobody deleted."""
        return self.filter(deleted_at__isnull=True)


class RegisteredModel(Restrictable):
    """A model of a project under one name, in numbered versions."""

    sharing = Sharing(
        noun="model",
        permission=Permission.MODEL_GRANT,
        with_outsiders=True,
        restricted=EventType.MODEL_RESTRICTED,
        opened=EventType.MODEL_OPENED,
        granted=EventType.MODEL_GRANTED,
        grant_revoked=EventType.MODEL_GRANT_REVOKED,
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="registered_models"
    )
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    # Put aside, not gone; its name is free again.
    deleted_at = models.DateTimeField(null=True)

    objects = RegisteredModelQuerySet.as_manager()  # type: ignore[misc]  # narrower

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"],
                condition=Q(deleted_at__isnull=True),
                name="one_model_per_name",
            )
        ]

    def __str__(self) -> str:
        return f"{self.project.slug}/{self.name}"

    def get_absolute_url(self) -> str:
        return reverse("registry:model", args=[self.project.slug, self.name])


class VersionState(models.TextChoices):
    """Where a model version stands in its life."""

    DRAFT = "draft", "Draft"
    VALIDATED = "validated", "Validated"
    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    SUSPENDED = "suspended", "Suspended"
    STALE = "stale", "Stale"


VERSION_TRANSITIONS: dict[VersionState, frozenset[VersionState]] = {
    VersionState.DRAFT: frozenset({VersionState.VALIDATED}),
    # A later report can take the standing away again.
    VersionState.VALIDATED: frozenset({VersionState.IN_REVIEW, VersionState.DRAFT}),
    VersionState.IN_REVIEW: frozenset(
        {VersionState.APPROVED, VersionState.REJECTED, VersionState.VALIDATED}
    ),
    VersionState.APPROVED: frozenset({VersionState.SUSPENDED, VersionState.STALE}),
    VersionState.REJECTED: frozenset(),
    # Out of service: until what was missing is there, or a new report passes.
    VersionState.SUSPENDED: frozenset(
        {VersionState.APPROVED, VersionState.STALE, VersionState.VALIDATED}
    ),
    VersionState.STALE: frozenset({VersionState.VALIDATED}),
}


class Stage(models.TextChoices):
    """Where a version stands in MLflow's words; only `Production` is governed."""

    NONE = "None", "None"
    STAGING = "Staging", "Staging"
    PRODUCTION = "Production", "Production"
    ARCHIVED = "Archived", "Archived"


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    """Reads of model versions."""

    def visible_to(self, user: User) -> Self:
        """Versions, not deleted, of the models that `user` can see."""
        visible = RegisteredModel.objects.visible_to(user)
        return self.active().filter(model__in=visible)

    def active(self) -> Self:
        """Those that nobody deleted."""
        return self.filter(deleted_at__isnull=True)


class ModelVersion(models.Model):
    """Files of a run or a logged model under a number, and where they came from."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField()
    # A logged model can be saved outside of any run.
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, null=True, related_name="model_versions"
    )
    logged_model = models.ForeignKey(
        LoggedModel, on_delete=models.PROTECT, null=True, related_name="model_versions"
    )
    # Where the files were taken from, as the client named it, and the folder there.
    source = models.TextField(blank=True)
    root = models.CharField(max_length=500, blank=True)
    description = models.TextField(blank=True)
    run_link = models.TextField(blank=True)
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.NONE)
    state = models.CharField(
        max_length=16, choices=VersionState.choices, default=VersionState.DRAFT
    )
    # Files of the version: [{"path", "sha256", "size_bytes", "media_type"}], by path.
    manifest = models.JSONField()
    # SHA-256 of the manifest as canonical JSON (RFC 8785).
    manifest_digest = models.CharField(max_length=64)
    # Held-out rows that the run kept outside of the root; shaped as the manifest.
    evaluation_files = models.JSONField(default=list)
    # In the engine's form; empty where nothing says what the model takes and answers.
    signature = models.JSONField(default=dict)
    # Why the portal cannot evaluate it, in one sentence; empty where it can.
    unfit_reason = models.TextField(blank=True)
    # Files that run code when they are read: [{"path", "imports", "looked_at_all"}].
    pickles = models.JSONField(default=list)
    registered_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    # Put aside, not gone; its number is never given again.
    deleted_at = models.DateTimeField(null=True)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "number"], name="one_model_version_per_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} version {self.number}"

    def get_absolute_url(self) -> str:
        return reverse(
            "home:model_version",
            args=[self.model.project.slug, self.model.name, self.number],
        )

    @property
    def project(self) -> Project:
        """The project of the registered model."""
        return self.model.project

    @property
    def data(self) -> DatasetVersion | None:
        """The dataset version that its run learned from, if that is known."""
        return self.run.dataset_version if self.run else None

    @property
    def summary(self) -> dict[str, Any]:
        """What its run said of itself; empty without a run."""
        return self.run.summary if self.run else {}

    @property
    def quarantine(self) -> str:
        """Say why the portal never loads it, in one sentence; empty when it may."""
        if not self.pickles:
            return ""
        first = self.pickles[0]
        imports = ", ".join(first["imports"][:MOST_IMPORTS_TOLD])
        more = len(first["imports"]) - MOST_IMPORTS_TOLD
        more_words = f" and {more} more" if more > 0 else ""
        would = f" It would import {imports}{more_words}." if imports else ""
        return (
            f"Version {self.number} is quarantined: {first['path']} is a Python "
            "pickle, which can run code when it is read, so the portal never loads it."
        ) + would

    def advance(self, to: VersionState) -> None:
        """Move to `to`; the caller saves.

        Raises:
            WrongState: the table has no such transition.
        """
        if to not in VERSION_TRANSITIONS[VersionState(self.state)]:
            raise WrongState(
                f"This version is {self.get_state_display().lower()} and cannot become "
                f"{to.label.lower()}."
            )
        self.state = to


class AliasName(models.TextChoices):
    """The governed names that point at one version of a model; others are free."""

    CHAMPION = "champion", "Champion"


class Alias(models.Model):
    """The version that a name stands for now; `champion` moves only by an approval."""

    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="aliases"
    )
    name = models.CharField(max_length=255)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="aliases"
    )
    moved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "name"], name="one_version_per_alias"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model}@{self.name}"


class RegisteredModelTag(KeyedValue):
    """A word about a registered model, with its value, which may change."""

    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="tags", db_index=False
    )
    value = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "key"], name="one_value_per_registered_tag"
            )
        ]
        indexes = [models.Index("key", Left("value", 100), name="registered_by_tag")]


class ModelVersionTag(KeyedValue):
    """A word about a model version, with its value, which may change."""

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="tags", db_index=False
    )
    value = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "key"], name="one_value_per_version_tag"
            )
        ]
        indexes = [models.Index("key", Left("value", 100), name="versions_by_tag")]


class ImportedEntry(models.Model):
    """What a registered model or version from elsewhere became here, and was there."""

    id = models.BigAutoField(primary_key=True)
    item = models.OneToOneField(
        ImportedItem, on_delete=models.PROTECT, related_name="entry"
    )
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="imported"
    )
    version = models.OneToOneField(
        ModelVersion, on_delete=models.PROTECT, null=True, related_name="imported"
    )
    # Of a version `number`, `source`, `run`, `logged_model`, `created_at`, `user`,
    # `stage` and `aliases` there; of a model `name`, `created_at` and `aliases`.
    # Nobody here vouches for any of it.
    said = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.version or self.model}, as its source tells of it"

    @property
    def created_at(self) -> datetime | None:
        """When it was made, as the source says."""
        told = self.said.get("created_at")
        return datetime.fromisoformat(told) if told else None

    @property
    def in_use(self) -> str:
        """Say how the source had a version in use that needs an approval here."""
        uses = []
        if AliasName.CHAMPION in self.said.get("aliases", ()):
            uses.append("was champion")
        if self.said.get("stage") == Stage.PRODUCTION:
            uses.append("stood in Production")
        return f"It {' and '.join(uses)} at the source." if uses else ""


# What a person writes on a card: field of `ModelCard` -> its heading.
CARD_SECTIONS = {
    "intended_use": "Intended use",
    "out_of_scope_use": "Out of scope",
    "limitations": "Limitations",
    "human_oversight": "Human oversight",
}


class ModelCard(models.Model):
    """The part of a version's card that only a person can write."""

    version = models.OneToOneField(
        ModelVersion, on_delete=models.PROTECT, related_name="card"
    )
    intended_use = models.TextField(blank=True)
    out_of_scope_use = models.TextField(blank=True)
    limitations = models.TextField(blank=True)
    human_oversight = models.TextField(blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"card of {self.version}"
