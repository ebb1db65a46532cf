"""Who may have other systems told, and who may send what people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import Decision, NotNow, permitted
from apps.access.permissions import Permission
from apps.notices.models import DeliveryStatus

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.notices.models import Delivery, Webhook
    from apps.projects.models import Project


def can_mail_notices(user: User) -> Decision:
    """Say whether `user` may mail notices to people: workers only."""
    return permitted(user, Permission.JOB_RUN, None)


can_deliver = can_mail_notices


def can_add_webhook(user: User, project: Project) -> Decision:
    """Say whether `user` may have another system told about this project."""
    return permitted(user, Permission.WEBHOOK_MANAGE, project)


def can_remove_webhook(user: User, webhook: Webhook) -> Decision:
    """Say whether `user` may end a webhook."""
    decision = permitted(user, Permission.WEBHOOK_MANAGE, webhook.project)
    if decision and webhook.removed_at:
        return NotNow("This webhook is removed already.")
    return decision


def can_resend_delivery(user: User, delivery: Delivery) -> Decision:
    """Say whether `user` may have a message sent once more."""
    decision = can_remove_webhook(user, delivery.webhook)
    if decision and delivery.status == DeliveryStatus.WAITING:
        return NotNow("This message waits to be sent already.")
    return decision
