"""What people state about a minimum practice: rows that only add up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.digests import canonical_digest
from apps.core.ids import new_id
from apps.projects.models import Project
from apps.registry.models import ModelVersion

if TYPE_CHECKING:
    from apps.accounts.models import User


class PracticeState(models.TextChoices):
    """What a statement says of a practice; waived is no statement but a waiver."""

    MET = "met", "Met"
    IN_PROGRESS = "in_progress", "In progress"
    NOT_APPLICABLE = "not_applicable", "Not applicable"
    PRECLUDED = "precluded", "Precluded by law or operation"


# By these a practice is settled.
SETTLED = (
    PracticeState.MET,
    PracticeState.NOT_APPLICABLE,
    PracticeState.PRECLUDED,
)


class PracticeStatementQuerySet(models.QuerySet["PracticeStatement"]):
    """Reads of statements."""

    def visible_to(self, user: User) -> Self:
        """Statements about the model versions that `user` can see."""
        return self.filter(version__in=ModelVersion.objects.visible_to(user))

    def newest(self) -> Self:
        """Of each version and practice the one that counts."""
        ordered = self.order_by("version", "practice", "-pk")
        return ordered.distinct("version", "practice")


class PracticeStatement(models.Model):
    """How a version stands with a practice; a later one takes its place, none changes.

    The words hold what shows it; `due_on` and `owner` belong to work in progress.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="practice_statements"
    )
    # A slug of the framework; no choices, since the framework is a file.
    practice = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=PracticeState.choices)
    # What shows it, or the reason why it does not apply.
    text = models.TextField()
    # Addresses of reports, cards and documents.
    links = models.JSONField(default=list)
    owner = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    due_on = models.DateField(null=True)
    written_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField(default=timezone.now)

    objects = PracticeStatementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="practice_statement_says_something", condition=~Q(text="")
            ),
            models.CheckConstraint(
                name="practice_in_progress_has_owner_and_day",
                condition=Q(
                    state="in_progress", owner__isnull=False, due_on__isnull=False
                )
                | (~Q(state="in_progress") & Q(owner=None, due_on=None)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["version", "practice", "-id"], name="approvals_practices"
            )
        ]

    def __str__(self) -> str:
        return f"{self.practice} of {self.version}"

    @property
    def project(self) -> Project:
        """The project of the version."""
        return self.version.project

    @property
    def content(self) -> dict[str, object]:
        """What is sealed of it, in plain JSON: people by the ids of their accounts."""
        return {
            "statement": str(self.pk),
            "practice": self.practice,
            "state": self.state,
            "text": self.text,
            "links": self.links,
            "owner_id": str(self.owner_id) if self.owner_id else None,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "written_by_id": str(self.written_by_id),
            "written_at": self.written_at.isoformat(),
        }

    @property
    def digest(self) -> str:
        """The SHA-256 of its content as canonical JSON (RFC 8785)."""
        return canonical_digest(self.content)
