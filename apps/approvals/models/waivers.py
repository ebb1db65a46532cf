"""Minimum practices that the AI official waived for a use, and the duty to report."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.ids import new_id
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User

REPORT_WITHIN = timedelta(days=30)  # of granting or revoking, M-25-21 section 4(a)(ii)


class WaiverGround(models.TextChoices):
    """Why a practice may be waived, M-25-21 section 4(a)(ii)."""

    RISK = "risk", "The practice would raise the risk to safety or rights overall"
    OPERATIONS = "operations", "The practice would unacceptably impede critical work"


class WaiverQuerySet(models.QuerySet["Waiver"]):
    """Reads of waivers."""

    def visible_to(self, user: User) -> Self:
        """Waivers of the projects that `user` can see."""
        return self.filter(project__in=Project.objects.visible_to(user))

    def in_force(self, today: date | None = None) -> Self:
        """Those that count on a day; today, without one."""
        return self.filter(
            revoked_at=None, expires_on__gte=today or timezone.localdate()
        )


class Waiver(models.Model):
    """One practice waived for one use, as the AI official signed it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="waivers"
    )
    practice = models.CharField(max_length=60)
    ground = models.CharField(max_length=16, choices=WaiverGround.choices)
    # The written assessment of the risk, for this use.
    justification = models.TextField()
    signer = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    signer_name = models.CharField(max_length=150)
    signer_title = models.CharField(max_length=150, blank=True)
    granted_at = models.DateTimeField(default=timezone.now)
    expires_on = models.DateField()
    # Canonical JSON (RFC 8785) as it was signed; the trail holds its SHA-256.
    record = models.TextField(blank=True)
    record_sha256 = models.CharField(max_length=64, blank=True)
    reported_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    revocation_reason = models.TextField(blank=True)
    revocation_reported_at = models.DateTimeField(null=True)

    objects = WaiverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "practice"],
                condition=Q(revoked_at=None),
                name="one_waiver_per_practice",
            ),
            models.CheckConstraint(
                name="waiver_revoked_with_reason",
                condition=Q(revoked_at=None, revoked_by=None)
                | (
                    Q(revoked_at__isnull=False, revoked_by__isnull=False)
                    & ~Q(revocation_reason="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"waiver of {self.practice} for {self.project}"

    @property
    def report_due_on(self) -> date | None:
        """Until when the grant or the revocation must be reported; None when it is."""
        if self.revoked_at and not self.revocation_reported_at:
            return (self.revoked_at + REPORT_WITHIN).date()
        return None if self.reported_at else (self.granted_at + REPORT_WITHIN).date()
