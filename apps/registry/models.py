"""Registered models, their versions, aliases and cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone

from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.core.errors import WrongState
from apps.core.ids import new_id
from apps.experiments.models import Run
from apps.projects.models import Project, Restrictable, Sharing

if TYPE_CHECKING:
    from apps.accounts.models import User


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
    name = models.SlugField(max_length=60)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="one_model_per_name"
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


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    """Reads of model versions."""

    def visible_to(self, user: User) -> Self:
        """Versions of the models that `user` can see."""
        return self.filter(model__in=RegisteredModel.objects.visible_to(user))


class ModelVersion(models.Model):
    """The files of one run under a number, with everything they came from."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField()
    run = models.OneToOneField(
        Run, on_delete=models.PROTECT, related_name="model_version"
    )
    state = models.CharField(
        max_length=16, choices=VersionState.choices, default=VersionState.DRAFT
    )
    # Files of the version: [{"path", "sha256", "size_bytes", "media_type"}], by path.
    manifest = models.JSONField()
    # SHA-256 of the manifest as canonical JSON (RFC 8785).
    manifest_digest = models.CharField(max_length=64)
    signature = models.JSONField()
    registered_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

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
    """Names that point at one version of a model."""

    CHAMPION = "champion", "Champion"


class Alias(models.Model):
    """The version that a name stands for now; moved only by an approval."""

    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="aliases"
    )
    name = models.CharField(max_length=32, choices=AliasName.choices)
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
