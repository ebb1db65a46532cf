"""What a signer asks to be done after approval, by whom and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.approvals.models.requests import ApprovalRequest
from apps.approvals.models.sign_offs import SignOff
from apps.core.ids import new_id
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


@dataclass(frozen=True)
class NewCondition:
    """A duty under which somebody signs.

    Attributes:
        text: what must be done.
        owner: who does it; sees the model.
        due_on: the last day. A day later the approval is suspended.
    """

    text: str
    owner: User
    due_on: date


class ConditionQuerySet(models.QuerySet["Condition"]):
    """Reads of conditions."""

    def visible_to(self, user: User) -> Self:
        """Conditions of the requests that `user` can see."""
        requests = ApprovalRequest.objects.visible_to(user)
        return self.filter(sign_off__stage__request__in=requests)

    def of(self, approval: ApprovalRequest) -> Self:
        """Conditions of a request, in the order in which they fall due."""
        mine = self.filter(
            sign_off__stage__request=approval, sign_off__withdrawal__isnull=True
        )
        return mine.order_by("due_on", "pk")

    def overdue(self, today: date | None = None) -> Self:
        """Those that are not met although their day is over."""
        today = today or timezone.localdate()
        return self.filter(
            met_at=None, due_on__lt=today, sign_off__withdrawal__isnull=True
        )


class Condition(models.Model):
    """A duty under which a signature was given; overdue, it suspends the approval."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sign_off = models.ForeignKey(
        SignOff, on_delete=models.PROTECT, related_name="conditions"
    )
    text = models.TextField()
    owner = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    due_on = models.DateField()
    met_at = models.DateTimeField(null=True)
    met_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    # What shows that it is met.
    evidence = models.TextField(blank=True)

    objects = ConditionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="condition_met_by_somebody_with_evidence",
                condition=Q(met_at=None, met_by=None)
                | (Q(met_at__isnull=False, met_by__isnull=False) & ~Q(evidence="")),
            ),
        ]

    def __str__(self) -> str:
        return f"condition due {self.due_on} of {self.approval}"

    def get_absolute_url(self) -> str:
        return f"{self.approval.get_absolute_url()}#condition-{self.pk}"

    @property
    def approval(self) -> ApprovalRequest:
        """The request it belongs to."""
        return self.sign_off.stage.request

    @property
    def project(self) -> Project:
        """The project of the request."""
        return self.approval.project
