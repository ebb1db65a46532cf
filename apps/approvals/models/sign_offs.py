"""Signatures under a request, and the records that take one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.approvals.models.delegations import Delegation
from apps.approvals.models.requests import ApprovalRequest, Stage
from apps.approvals.models.states import REASONED, SignOffDecision
from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models import User


class SignOffQuerySet(models.QuerySet["SignOff"]):
    """Reads of signatures."""

    def visible_to(self, user: User) -> Self:
        """Signatures under the requests that `user` can see."""
        requests = ApprovalRequest.objects.visible_to(user)
        return self.filter(stage__request__in=requests)


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
    # By which the signer signed in somebody's place, if they did.
    delegation = models.ForeignKey(
        Delegation, on_delete=models.PROTECT, null=True, related_name="sign_offs"
    )
    decision = models.CharField(max_length=24, choices=SignOffDecision.choices)
    meaning = models.CharField(max_length=200)
    comment = models.TextField(blank=True)
    evidence_digest = models.CharField(max_length=64)
    signed_at = models.DateTimeField(default=timezone.now)
    # The time zone in which the signer read the page, and how they proved who they are.
    time_zone = models.CharField(max_length=64, default="UTC")
    method = models.CharField(max_length=40, default="password")
    # Everything above in canonical JSON (RFC 8785), as it was signed; the trail holds
    # its SHA-256. Empty when the signer was erased.
    record = models.TextField(blank=True)
    record_sha256 = models.CharField(max_length=64, blank=True)

    objects = SignOffQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stage", "signer"], name="one_sign_off_per_signer_and_stage"
            ),
            models.CheckConstraint(
                name="decision_has_reason",
                condition=~Q(decision__in=REASONED) | ~Q(comment=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.signer_name}"


class SignOffWithdrawal(models.Model):
    """A signature taken back by its signer, before the request was decided."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sign_off = models.OneToOneField(
        SignOff, on_delete=models.PROTECT, related_name="withdrawal"
    )
    reason = models.TextField()
    at = models.DateTimeField(default=timezone.now)
    record = models.TextField(blank=True)
    record_sha256 = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.sign_off}, withdrawn"


def forget_signer(person: User) -> None:
    """Take the name of an erased person out of their signatures, which stay."""
    given = SignOff.objects.filter(signer=person)
    given.update(
        signer_name=person.full_name,
        signer_title="",
        signer_organisation="",
        record="",
    )
    SignOffWithdrawal.objects.filter(sign_off__signer=person).update(record="")
