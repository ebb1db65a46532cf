"""Policies that an agency wrote for itself, and which of them were put in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone

from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_NOTE_CHARACTERS = 500


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    """Reads of the versions of policies."""

    def visible_to(self, user: User) -> Self:
        """All of them: who must sign is no secret to anybody who works here."""
        return self if user.is_active else self.none()


class PolicyVersion(models.Model):
    """The text of a policy as somebody wrote it; the database lets nobody change it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60)
    # As the text itself says.
    number = models.PositiveIntegerField()
    text = models.TextField()
    # SHA-256 of the text in UTF-8.
    digest = models.CharField(max_length=64)
    note = models.CharField(max_length=MAX_NOTE_CHARACTERS)
    written_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField(default=timezone.now)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "number"], name="one_policy_version_per_number"
            )
        ]

    def __str__(self) -> str:
        return f"policy {self.name} version {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("approvals:policy_version", args=[self.name, self.number])


class PolicyEnactment(models.Model):
    """That a version was put in force; the newest one of its name is."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="enactments"
    )
    reason = models.CharField(max_length=MAX_NOTE_CHARACTERS)
    enacted_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    enacted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.version} put in force"
