"""Findings: what a validator holds against a model version, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.core.errors import WrongState
from apps.core.ids import new_id
from apps.projects.models import Project
from apps.registry.models import ModelVersion
from apps.validation.models.reports import ValidationReport

if TYPE_CHECKING:
    from apps.accounts.models import User


class Severity(models.TextChoices):
    """How much a finding weighs; with a blocking one open, nobody approves."""

    BLOCKING = "blocking", "Blocking"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class FindingState(models.TextChoices):
    """Where a finding stands."""

    OPEN = "open", "Open"
    ANSWERED = "answered", "Answered"
    CLOSED = "closed", "Closed"
    ACCEPTED = "accepted", "Risk accepted"


_S = FindingState
FINDING_TRANSITIONS: dict[FindingState, frozenset[FindingState]] = {
    _S.OPEN: frozenset({_S.ANSWERED, _S.CLOSED, _S.ACCEPTED}),
    _S.ANSWERED: frozenset({_S.ANSWERED, _S.OPEN, _S.CLOSED, _S.ACCEPTED}),
    _S.CLOSED: frozenset({_S.OPEN}),
    _S.ACCEPTED: frozenset({_S.OPEN}),
}


class FindingQuerySet(models.QuerySet["Finding"]):
    """Reads of findings."""

    def visible_to(self, user: User) -> Self:
        """Findings on the model versions that `user` can see."""
        return self.filter(version__in=ModelVersion.objects.visible_to(user))

    def unsettled(self) -> Self:
        """Findings that still wait for somebody."""
        return self.filter(state__in=[FindingState.OPEN, FindingState.ANSWERED])

    def blocking(self) -> Self:
        """Unsettled findings with which nothing is approved, oldest first."""
        found = self.unsettled().filter(severity=Severity.BLOCKING)
        return found.order_by("number")


class Finding(models.Model):
    """Something that a validator found, with its owner, answer and end."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="findings"
    )
    # The report that it was read from, if any.
    report = models.ForeignKey(
        ValidationReport, on_delete=models.PROTECT, null=True, related_name="findings"
    )
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    text = models.TextField()
    severity = models.CharField(max_length=16, choices=Severity.choices)
    state = models.CharField(
        max_length=16, choices=FindingState.choices, default=FindingState.OPEN
    )
    owner = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    due_on = models.DateField(null=True)
    raised_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    raised_at = models.DateTimeField(default=timezone.now)
    # What the owner says; the trail holds earlier answers.
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    # Why it was closed, the risk accepted, or it was opened again.
    closing = models.TextField(blank=True)
    settled_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "number"], name="one_finding_per_number"
            ),
            models.CheckConstraint(
                name="blocking_finding_is_never_accepted",
                condition=~Q(severity="blocking", state="accepted"),
            ),
            models.CheckConstraint(
                name="settled_finding_says_why",
                condition=~Q(state__in=["closed", "accepted"])
                | (~Q(closing="") & Q(settled_by__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"finding {self.number} on {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("validation:finding", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project of the model version."""
        return self.version.project

    @property
    def is_settled(self) -> bool:
        """Say whether it waits for nobody any more."""
        return self.state in (FindingState.CLOSED, FindingState.ACCEPTED)

    def advance(self, to: FindingState) -> None:
        """Move to `to`; the caller saves.

        Raises:
            WrongState: the table has no such transition.
        """
        if to not in FINDING_TRANSITIONS[FindingState(self.state)]:
            raise WrongState(
                f"This finding is {self.get_state_display().lower()} and cannot become "
                f"{to.label.lower()}."
            )
        self.state = to
