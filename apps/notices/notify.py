"""The only writer of notices: people are told in the transaction of what they read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection

from apps.accounts.models import UserKind
from apps.core.digests import canonical_text
from apps.core.ids import new_id
from apps.core.queue import enqueue
from apps.notices.mail import address_of
from apps.notices.models import Delivery, Notice, NoticeKind, Webhook

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.projects.models import Project


# The part of the time given that is left when people are reminded.
LAST_PART: Final = 1 / 4


class OutsideTransaction(RuntimeError):
    """People were told of what could still be undone."""


class Told(Protocol):
    """What a notice can be about: something with an id and a place of its own."""

    pk: UUID

    @property
    def project(self) -> Project:
        """Where it belongs; the webhooks of this project are told."""

    def get_absolute_url(self) -> str:
        """Give the address, with the place on the page after a #."""


def notify(
    *, to: Iterable[User], kind: NoticeKind, target: Told, sentence: str, once: str = ""
) -> None:
    """Tell people what happened, or what waits for them; and webhooks, without words.

    Args:
        to: whom; those who cannot sign in are left out, and nobody is told twice.
        kind: of the catalogue.
        target: what it is about and where the notice leads.
        sentence: in plain words, with no name of a person in it.
        once: names the occasion when it comes again and again, as a reminder does;
            each person is told of it only once.

    Raises:
        OutsideTransaction: there is no transaction to commit together with.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"{kind} must be told inside its action.")
    people = {
        person.pk: person
        for person in to
        if person.is_active and person.kind == UserKind.PERSON
    }
    key = f"{kind.value}:{once or new_id()}"
    Notice.objects.keep(
        [
            Notice(
                recipient=person,
                kind=kind.value,
                sentence=sentence,
                path=target.get_absolute_url(),
                object_id=target.pk,
                dedup_key=key,
            )
            for person in people.values()
        ]
    )
    # What comes again and again waits for the clock, which sends it as well.
    if people and settings.MAIL_ON and not once:
        enqueue("notices.mail")
    if kind.goes_outside:
        _tell_webhooks(kind, target, key)


def _tell_webhooks(kind: NoticeKind, target: Told, key: str) -> None:
    """Write a message to each webhook of the project that has not got this one."""
    standing = Webhook.objects.filter(project=target.project).standing()
    telling = standing.exclude(deliveries__dedup_key=key)
    deliveries = [_delivery(webhook, kind, target, key) for webhook in telling]
    if not deliveries:
        return
    Delivery.objects.keep(deliveries)
    for delivery in deliveries:
        enqueue("notices.deliver", pk=str(delivery.pk))


def _delivery(webhook: Webhook, kind: NoticeKind, target: Told, key: str) -> Delivery:
    """Write a message: ids, a link and the time, and no word of a person."""
    delivery = Delivery(webhook=webhook, kind=kind.value, dedup_key=key)
    project = target.project
    delivery.body = canonical_text(
        {
            "id": str(delivery.pk),
            "event": kind.value,
            "project": {"id": str(project.pk), "slug": project.slug},
            "object": {"type": type(target).__name__, "id": str(target.pk)},
            "url": address_of(target.get_absolute_url()),
            "at": delivery.created_at.isoformat(),
        }
    )
    return delivery
