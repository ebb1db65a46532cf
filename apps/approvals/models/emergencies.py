"""Emergency approvals: given by one, confirmed by two others, and soon over."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.approvals.models.waivers import SignedExceptionally
from apps.core.errors import WrongState
from apps.core.ids import new_id
from apps.projects.models import Project
from apps.registry.models import ModelVersion
from apps.validation.models import ValidationReport

if TYPE_CHECKING:
    from apps.accounts.models import User


class EmergencyStatus(models.TextChoices):
    """Where an emergency approval stands."""

    DECLARED = "declared", "To be confirmed"
    CONFIRMED = "confirmed", "Confirmed"
    LAPSED = "lapsed", "Lapsed"
    EXPIRED = "expired", "Expired"
    STALE = "stale", "Stale"
    ENDED = "ended", "Ended"


_E = EmergencyStatus
EMERGENCY_TRANSITIONS: dict[EmergencyStatus, frozenset[EmergencyStatus]] = {
    _E.DECLARED: frozenset({_E.CONFIRMED, _E.LAPSED, _E.STALE, _E.ENDED}),
    _E.CONFIRMED: frozenset({_E.EXPIRED, _E.STALE, _E.ENDED}),
    _E.LAPSED: frozenset(),
    _E.EXPIRED: frozenset(),
    _E.STALE: frozenset(),
    _E.ENDED: frozenset(),
}
# While it stands there, its version may serve by it.
IN_FORCE = (_E.DECLARED, _E.CONFIRMED)


class EmergencyMeaning(models.TextChoices):
    """What a signature under an emergency approval states."""

    DECLARES = "declares", "Approved for an emergency"
    CONFIRMS = "confirms", "Confirmed the emergency"
    ENDS = "ends", "Ended the emergency approval"


class EmergencyQuerySet(models.QuerySet["EmergencyApproval"]):
    """Reads of emergency approvals."""

    def visible_to(self, user: User) -> Self:
        """Those of the model versions that `user` can see."""
        return self.filter(version__in=ModelVersion.objects.visible_to(user))

    def in_force(self) -> Self:
        """Those that nobody and nothing ended yet."""
        return self.filter(status__in=IN_FORCE)

    def with_story(self) -> Self:
        """Join what a page or a list shows of each."""
        return self.select_related(
            "version__model__project", "report"
        ).prefetch_related(
            models.Prefetch(
                "signatures", EmergencySignature.objects.order_by("signed_at", "pk")
            )
        )


class EmergencyApproval(models.Model):
    """Leave to serve a version for a short time without the ordinary signatures.

    It moves neither the version nor its alias, and never becomes an approval.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="emergencies"
    )
    report = models.ForeignKey(
        ValidationReport, on_delete=models.PROTECT, related_name="emergencies"
    )
    status = models.CharField(
        max_length=16, choices=EmergencyStatus.choices, default=EmergencyStatus.DECLARED
    )
    status_at = models.DateTimeField(default=timezone.now)
    # Why it is over, in one sentence.
    status_reason = models.TextField(blank=True)
    reason = models.TextField()
    # The terms as they were when it was given.
    policy = models.JSONField()
    # What is signed, and the SHA-256 of it as canonical JSON (RFC 8785).
    evidence = models.JSONField()
    evidence_digest = models.CharField(max_length=64)
    # What of the evidence is not as it was, as in a request.
    moved = models.JSONField(default=list)
    # Minimum practices that were neither met nor waived, by their slugs.
    unmet_practices = models.JSONField(default=list)
    declared_at = models.DateTimeField(default=timezone.now)
    # Not confirmed by then, it lapses.
    confirm_by = models.DateTimeField()
    # Until when it holds at the most, once confirmed.
    holds_until = models.DateTimeField()

    objects = EmergencyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(status__in=["declared", "confirmed"]),
                name="one_emergency_in_force_per_version",
            ),
            models.CheckConstraint(
                name="emergency_has_reason", condition=~Q(reason="")
            ),
            models.CheckConstraint(
                name="emergency_ends",
                condition=Q(confirm_by__gt=models.F("declared_at"))
                & Q(holds_until__gte=models.F("confirm_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"emergency approval of {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("approvals:emergency", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project of the model version."""
        return self.version.project

    @property
    def is_in_force(self) -> bool:
        """Say whether nobody and nothing ended it yet."""
        return self.status in IN_FORCE

    @property
    def ends_at(self) -> datetime:
        """When it is over by the clock, as it stands now."""
        if self.status == EmergencyStatus.DECLARED:
            return self.confirm_by
        return self.holds_until

    def advance(self, to: EmergencyStatus, reason: str = "") -> None:
        """Move to `to`; the caller saves.

        Args:
            to: where.
            reason: one sentence, when it is over.

        Raises:
            WrongState: the table has no such transition.
        """
        if to not in EMERGENCY_TRANSITIONS[EmergencyStatus(self.status)]:
            raise WrongState(
                f"This emergency approval is {self.get_status_display().lower()} and "
                f"cannot become {to.label.lower()}."
            )
        self.status, self.status_reason = to, reason
        self.status_at = timezone.now()


class EmergencySignature(SignedExceptionally):
    """A signature under an emergency approval: never edited, never removed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    emergency = models.ForeignKey(
        EmergencyApproval, on_delete=models.PROTECT, related_name="signatures"
    )
    meaning = models.CharField(max_length=12, choices=EmergencyMeaning.choices)
    comment = models.TextField()
    evidence_digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["emergency", "signer"],
                condition=~Q(meaning="ends"),
                name="one_signature_per_emergency_and_signer",
            ),
            models.CheckConstraint(
                name="emergency_signature_has_reason", condition=~Q(comment="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_meaning_display()} by {self.signer_name}"

    @property
    def project(self) -> Project:
        """The project of the model version."""
        return self.emergency.project
