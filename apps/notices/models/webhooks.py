"""Other systems that are told, and what became of each message to them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from apps.core.errors import WrongState
from apps.core.ids import new_id
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_URL_CHARACTERS = 500
# Longer than one try can take; then another worker may try.
LEASE = timedelta(minutes=2)


def new_nonce() -> str:
    """Make what tells the secret of one webhook from that of another."""
    return get_random_string(32)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Reads of webhooks."""

    def visible_to(self, user: User) -> Self:
        """Those of the projects that `user` can see."""
        return self.filter(project__in=Project.objects.visible_to(user))

    def standing(self) -> Self:
        """Those that were not removed."""
        return self.filter(removed_at=None)


class Webhook(models.Model):
    """An address outside that is told what happens to approvals of a project."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="webhooks"
    )
    # Shown to nobody again: it may hold a key.
    url = models.CharField(max_length=MAX_URL_CHARACTERS)
    nonce = models.CharField(max_length=32, default=new_nonce)
    added_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "url"],
                condition=Q(removed_at=None),
                name="one_webhook_per_address",
            ),
        ]

    def __str__(self) -> str:
        return f"webhook to {self.host}"

    def get_absolute_url(self) -> str:
        return reverse("notices:webhook", args=[self.pk])

    @property
    def host(self) -> str:
        """The machine that is told, without the rest of the address."""
        return urlsplit(self.url).netloc

    @property
    def secret(self) -> str:
        """What messages are signed with; computed, so that no table holds it."""
        purpose, what = "apps.notices.webhook", f"{self.pk}:{self.nonce}"
        key = salted_hmac(purpose, what, algorithm="sha256").digest()
        return f"whsec_{urlsafe_b64encode(key).decode().rstrip('=')}"


class DeliveryStatus(models.TextChoices):
    """Where a message to another system stands."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


_S = DeliveryStatus
DELIVERY_TRANSITIONS: dict[DeliveryStatus, frozenset[DeliveryStatus]] = {
    _S.WAITING: frozenset({_S.DELIVERED, _S.FAILED}),
    # Somebody may have either sent once more.
    _S.DELIVERED: frozenset({_S.WAITING}),
    _S.FAILED: frozenset({_S.WAITING}),
}


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Messages to other systems."""

    def visible_to(self, user: User) -> Self:
        """Those of the webhooks that `user` can see."""
        return self.filter(webhook__in=Webhook.objects.visible_to(user))

    def due(self) -> Self:
        """Those whose turn it is, the longest waiting first."""
        waiting = self.filter(
            status=DeliveryStatus.WAITING, next_at__lte=timezone.now()
        )
        return waiting.order_by("next_at")

    def claim(self, pk: UUID) -> bool:
        """Take one that is due for a try; False when somebody else has it."""
        lease = timezone.now() + LEASE
        due = self.filter(pk=pk).due().order_by()
        return due.update(next_at=lease, attempts=F("attempts") + 1) == 1

    def keep(self, deliveries: Sequence[Delivery]) -> None:
        """Store messages; what a webhook was told before it is not told again."""
        self.bulk_create(deliveries, ignore_conflicts=True)


class Delivery(models.Model):
    """One message to one webhook; its text is the same at each try."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    webhook = models.ForeignKey(
        Webhook, on_delete=models.PROTECT, related_name="deliveries"
    )
    kind = models.CharField(max_length=40)
    body = models.TextField()
    status = models.CharField(
        max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.WAITING
    )
    created_at = models.DateTimeField(default=timezone.now)
    # Tries since it began to wait, and when the next one is due.
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    dedup_key = models.CharField(max_length=120)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "dedup_key"], name="no_webhook_is_told_twice"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=Q(status="waiting"),
                name="notices_deliveries_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.webhook.host}"

    def get_absolute_url(self) -> str:
        return f"{self.webhook.get_absolute_url()}#delivery-{self.pk}"

    def advance(self, to: DeliveryStatus) -> None:
        """Move to `to`; the caller saves.

        Raises:
            WrongState: the table has no such transition.
        """
        if to not in DELIVERY_TRANSITIONS[DeliveryStatus(self.status)]:
            raise WrongState(
                f"This message is {self.get_status_display().lower()} and cannot "
                f"become {to.label.lower()}."
            )
        self.status = to


class DeliveryAttempt(models.Model):
    """One try to deliver a message, as it went."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.PROTECT, related_name="tries"
    )
    at = models.DateTimeField(default=timezone.now)
    # What the other side answered; None when there was no answer.
    answer_status = models.PositiveSmallIntegerField(null=True)
    # Why it did not arrive; empty when it did.
    failure = models.CharField(max_length=300, blank=True)
    took_milliseconds = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"try {self.pk}"
