"""Reads of what is still to be sent, and of what was."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.notices.models import (
    Delivery,
    DeliveryAttempt,
    MailPreference,
    MailWish,
    Notice,
)

if TYPE_CHECKING:
    from datetime import datetime

# When the letter of the day is written, in the time zone of the portal.
DIGEST_HOUR = 6
# Older ones are not mailed any more: mail was off, or its server, for so long.
MAILED_WITHIN = timedelta(days=1)
GATHERED_WITHIN = timedelta(days=3)


def wish_of(person: User) -> str:
    """Say how a person wants to be written to."""
    chosen = MailPreference.objects.visible_to(person).first()
    return chosen.mail if chosen else MailWish.EACH


def people_to_write_to() -> QuerySet[User]:
    """Find who has unread notices of which no mail was sent, and wants mail now."""
    waiting = _to_mail(timezone.now())
    return User.objects.people().filter(pk__in=waiting.values("recipient"))


def notices_to_mail(person: User) -> QuerySet[Notice]:
    """List what a person is to be written now, oldest first."""
    return _to_mail(timezone.now()).filter(recipient=person).order_by("pk")


def _to_mail(now: datetime) -> QuerySet[Notice]:
    local = timezone.localtime(now)
    chosen = "recipient__mail_preference"
    wanted = Q(created_at__gt=now - MAILED_WITHIN) & (
        Q(**{f"{chosen}__isnull": True}) | Q(**{f"{chosen}__mail": MailWish.EACH})
    )
    if local.hour >= DIGEST_HOUR:
        not_yet = Q(**{f"{chosen}__digest_on__isnull": True})
        not_yet |= Q(**{f"{chosen}__digest_on__lt": local.date()})
        wanted |= not_yet & Q(
            created_at__gt=now - GATHERED_WITHIN,
            **{f"{chosen}__mail": MailWish.DAILY},
        )
    return Notice.objects.unread().filter(wanted, mailed_at=None)


def with_tries(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Join what the log shows of each message; its tries in `.tries.all()`."""
    tries = DeliveryAttempt.objects.order_by("pk")
    joined = deliveries.select_related("webhook__project")
    return joined.prefetch_related(Prefetch("tries", queryset=tries))
