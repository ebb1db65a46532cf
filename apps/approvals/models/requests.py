"""Approval requests and the stages they go through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.access.roles import PROJECT_ROLES
from apps.approvals.models.states import (
    APPROVAL_TRANSITIONS,
    ApprovalStatus,
)
from apps.core.errors import WrongState
from apps.core.ids import new_id
from apps.projects.models import Project
from apps.registry.models import ModelVersion
from apps.validation.models import ValidationReport

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_COMMENT_CHARACTERS = 2000


class ApprovalRequestQuerySet(models.QuerySet["ApprovalRequest"]):
    """Reads of approval requests."""

    def visible_to(self, user: User) -> Self:
        """Requests for the model versions that `user` can see."""
        return self.filter(version__in=ModelVersion.objects.visible_to(user))


class ApprovalRequest(models.Model):
    """The question whether a version may become champion, with its evidence frozen."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="approval_requests"
    )
    report = models.ForeignKey(
        ValidationReport, on_delete=models.PROTECT, related_name="approval_requests"
    )
    # The request that this one answers: changes were asked for, or it came to an end.
    follows = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="followed_by"
    )
    status = models.CharField(
        max_length=24, choices=ApprovalStatus.choices, default=ApprovalStatus.IN_REVIEW
    )
    status_at = models.DateTimeField(default=timezone.now)
    # Why it stands there, in one sentence, where nobody signed for it.
    status_reason = models.TextField(blank=True)
    # The policy as it was when the request was made.
    policy = models.JSONField()
    # What is signed, and the SHA-256 of it as canonical JSON (RFC 8785).
    evidence = models.JSONField()
    evidence_digest = models.CharField(max_length=64)
    # What of the evidence is not as it was: [{"part", "name", "before", "after"}].
    moved = models.JSONField(default=list)
    message = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    # Not decided by then, it lapses.
    due_at = models.DateTimeField(null=True)
    # When the review ended.
    closed_at = models.DateTimeField(null=True)
    # Until when the approval holds.
    expires_at = models.DateTimeField(null=True)

    objects = ApprovalRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(status="in_review"),
                name="one_open_request_per_version",
            ),
            models.CheckConstraint(
                name="approval_request_closed_when_final",
                condition=Q(status="in_review", closed_at__isnull=True)
                | (~Q(status="in_review") & Q(closed_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"approval of {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("approvals:request", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project of the model version."""
        return self.version.project

    @property
    def is_open(self) -> bool:
        """Say whether it still waits for signatures."""
        return self.status == ApprovalStatus.IN_REVIEW

    def advance(self, to: ApprovalStatus, reason: str = "") -> None:
        """Move to `to`; the caller saves.

        Args:
            to: where.
            reason: one sentence, when no signature says why.

        Raises:
            WrongState: the table has no such transition.
        """
        if to not in APPROVAL_TRANSITIONS[ApprovalStatus(self.status)]:
            raise WrongState(
                f"This request is {self.get_status_display().lower()} and cannot "
                f"become {to.label.lower()}."
            )
        self.status, self.status_reason = to, reason
        self.status_at = timezone.now()
        self.closed_at = self.closed_at or self.status_at


class Stage(models.Model):
    """One step of a request: who must sign, and how many of them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="stages"
    )
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    role = models.CharField(
        max_length=32, choices=[(role.slug, role.title) for role in PROJECT_ROLES]
    )
    # Only these of its holders may sign, by the policy; nobody here means all of them.
    people = models.ManyToManyField("accounts.User", related_name="+")
    required = models.PositiveSmallIntegerField(default=1)
    # What a signature of this stage states, in the words of the policy.
    meaning = models.CharField(max_length=200)
    must_comment = models.BooleanField(default=False)
    # When its signers are late; the clock starts with the stage.
    due_days = models.PositiveSmallIntegerField(null=True)
    due_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "position"], name="one_stage_per_position"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.request})"
