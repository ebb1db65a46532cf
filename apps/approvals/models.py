"""Approval requests, their stages and the sign-offs they collect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.access.roles import PROJECT_ROLES
from apps.core.errors import WrongState
from apps.core.ids import new_id
from apps.projects.models import Project
from apps.registry.models import ModelVersion
from apps.validation.models import ValidationReport

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_COMMENT_CHARACTERS = 2000


class ApprovalStatus(models.TextChoices):
    """Where a request stands."""

    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


APPROVAL_TRANSITIONS: dict[ApprovalStatus, frozenset[ApprovalStatus]] = {
    ApprovalStatus.IN_REVIEW: frozenset(
        {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED, ApprovalStatus.WITHDRAWN}
    ),
    ApprovalStatus.APPROVED: frozenset(),
    ApprovalStatus.REJECTED: frozenset(),
    ApprovalStatus.WITHDRAWN: frozenset(),
}


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
    status = models.CharField(
        max_length=16, choices=ApprovalStatus.choices, default=ApprovalStatus.IN_REVIEW
    )
    # The policy as it was when the request was made.
    policy = models.JSONField()
    # What is signed, and the SHA-256 of it as canonical JSON (RFC 8785).
    evidence = models.JSONField()
    evidence_digest = models.CharField(max_length=64)
    message = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

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

    def advance(self, to: ApprovalStatus) -> None:
        """Move to `to`; the caller saves.

        Raises:
            WrongState: the table has no such transition.
        """
        if to not in APPROVAL_TRANSITIONS[ApprovalStatus(self.status)]:
            raise WrongState(
                f"This request is {self.get_status_display().lower()} and cannot "
                f"become {to.label.lower()}."
            )
        self.status = to
        self.closed_at = timezone.now()


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
    required = models.PositiveSmallIntegerField(default=1)
    # What a signature of this stage states, in the words of the policy.
    meaning = models.CharField(max_length=200)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "position"], name="one_stage_per_position"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.request})"


class SignOffDecision(models.TextChoices):
    """What a signature says."""

    APPROVE = "approve", "Signed off"
    REJECT = "reject", "Rejected"


class SignOff(models.Model):
    """A signature as it was given: never edited, never removed.

    Only who signed can be forgotten, once the signature is no longer in force.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="sign_offs")
    signer = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    # Name, title and organisation of the signer at that moment.
    signer_name = models.CharField(max_length=150)
    signer_title = models.CharField(max_length=150, blank=True)
    signer_organisation = models.CharField(max_length=150, blank=True)
    decision = models.CharField(max_length=16, choices=SignOffDecision.choices)
    meaning = models.CharField(max_length=200)
    comment = models.TextField(blank=True)
    evidence_digest = models.CharField(max_length=64)
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stage", "signer"], name="one_sign_off_per_signer_and_stage"
            ),
            models.CheckConstraint(
                name="rejection_has_comment",
                condition=~Q(decision="reject") | ~Q(comment=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.signer_name}"


def forget_signer(person: User) -> None:
    """Take the name of an erased person out of their signatures, which stay."""
    SignOff.objects.filter(signer=person).update(
        signer_name=person.full_name, signer_title="", signer_organisation=""
    )
