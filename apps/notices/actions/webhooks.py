"""Adding and removing webhooks, and delivering what they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.access.roles import PROGRAM_MANAGER
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.notices import rules
from apps.notices.guard import check_url
from apps.notices.models import (
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    NoticeKind,
    Webhook,
)
from apps.notices.notify import notify
from apps.notices.sending import Outcome, send
from apps.projects.models import Project
from apps.projects.queries import members_of

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_WEBHOOKS = 10
# Seconds until the next try, after each one that failed; about two days in all.
PAUSES = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
REMOVED = "The webhook was removed."


@transaction.atomic
def add_webhook(*, project: Project, url: str, by: User) -> Webhook:
    """Have another system told what happens to the approvals of a project.

    Args:
        project: whose approvals.
        url: on https.
        by: a program manager of it.

    Returns:
        The webhook; its `secret` is to be shown now and never again.

    Raises:
        Invalid: the address cannot be, or is told already; there are too many.
        Refused: the person may not.
    """
    # The project row serialises them, so that a second click finds the first.
    project = Project.objects.select_for_update().get(pk=project.pk)
    ensure(rules.can_add_webhook(by, project))
    url = check_url(url)
    standing = Webhook.objects.filter(project=project).standing()
    if standing.filter(url=url).exists():
        raise _invalid("This address is told already.")
    if standing.count() >= MOST_WEBHOOKS:
        raise _invalid(f"A project has at most {MOST_WEBHOOKS} webhooks.")
    webhook = Webhook.objects.create(project=project, url=url, added_by=by)
    _record(EventType.WEBHOOK_ADDED, webhook, by)
    return webhook


@transaction.atomic
def remove_webhook(*, webhook: Webhook, by: User) -> Webhook:
    """Tell a system nothing more; what was sent stays in the log.

    Raises:
        Refused: the person may not.
        WrongState: it is removed already.
    """
    found = Webhook.objects.select_for_update(of=("self",))
    webhook = found.select_related("project").get(pk=webhook.pk)
    ensure(rules.can_remove_webhook(by, webhook))
    webhook.removed_at = timezone.now()
    webhook.save(update_fields=["removed_at"])
    _record(EventType.WEBHOOK_REMOVED, webhook, by)
    return webhook


@transaction.atomic
def resend_delivery(*, delivery: Delivery, by: User) -> Delivery:
    """Have a message sent once more, delivered before or not.

    Raises:
        Refused: the person may not.
        WrongState: it waits already, or the webhook was removed.
    """
    found = Delivery.objects.select_for_update(of=("self",))
    delivery = found.select_related("webhook__project").get(pk=delivery.pk)
    ensure(rules.can_resend_delivery(by, delivery))
    delivery.advance(DeliveryStatus.WAITING)
    delivery.attempts, delivery.next_at = 0, timezone.now()
    delivery.save()
    record(
        EventType.WEBHOOK_RESENT,
        target=delivery,
        project=delivery.webhook.project,
        by=by,
        changes={"event": delivery.kind, "host": delivery.webhook.host},
    )
    enqueue("notices.deliver", pk=str(delivery.pk))
    return delivery


def deliver(*, delivery: Delivery, by: User) -> Delivery | None:
    """Try to deliver one message that is due; nobody else tries meanwhile.

    Nothing is locked while the other side takes its time. A worker that dies leaves the
    message to whoever comes when its lease is over; it may then arrive twice, with the
    same id.

    Args:
        delivery: any message.
        by: a worker.

    Returns:
        None when it is not due, or another worker has it.

    Raises:
        Refused: only workers may.
    """
    ensure(rules.can_deliver(by))
    if not Delivery.objects.claim(delivery.pk):
        return None
    delivery = Delivery.objects.select_related("webhook__project").get(pk=delivery.pk)
    if delivery.webhook.removed_at:
        return _settle(delivery, Outcome(None, REMOVED, 0))
    return _settle(delivery, send(delivery))


@transaction.atomic
def _settle(delivery: Delivery, outcome: Outcome) -> Delivery:
    """Note how a try went, and what comes next."""
    DeliveryAttempt.objects.create(
        delivery=delivery,
        answer_status=outcome.status,
        failure=outcome.failure,
        took_milliseconds=outcome.milliseconds,
    )
    tries = delivery.attempts
    if not outcome.failure:
        delivery.advance(DeliveryStatus.DELIVERED)
    elif tries > len(PAUSES) or delivery.webhook.removed_at:
        delivery.advance(DeliveryStatus.FAILED)
        _tell_managers(delivery)
    else:
        pause = timedelta(seconds=PAUSES[tries - 1])
        delivery.next_at = timezone.now() + pause
    delivery.save(update_fields=["status", "next_at"])
    return delivery


def _tell_managers(delivery: Delivery) -> None:
    webhook = delivery.webhook
    if webhook.removed_at:
        return
    managers = members_of(webhook.project).filter(role=PROGRAM_MANAGER.slug)
    notify(
        to=[member.user for member in managers],
        kind=NoticeKind.WEBHOOK_FAILED,
        target=webhook,
        sentence=f"{webhook.host} did not take a message of {webhook.project.name} "
        f"after {delivery.attempts} tries.",
        once=str(delivery.pk),
    )


def _record(event: EventType, webhook: Webhook, by: User) -> None:
    record(
        event,
        target=webhook,
        project=webhook.project,
        by=by,
        changes={"host": webhook.host},
    )


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"url": sentence})
