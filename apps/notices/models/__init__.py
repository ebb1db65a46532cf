"""What people and other systems are told."""

from apps.notices.models.kinds import NoticeKind
from apps.notices.models.mail import MailPreference, MailWish
from apps.notices.models.notices import Notice, NoticeQuerySet, forget_recipient
from apps.notices.models.webhooks import (
    DELIVERY_TRANSITIONS,
    MAX_URL_CHARACTERS,
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    Webhook,
)

__all__ = [
    "DELIVERY_TRANSITIONS",
    "MAX_URL_CHARACTERS",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "MailPreference",
    "MailWish",
    "Notice",
    "NoticeKind",
    "NoticeQuerySet",
    "Webhook",
    "forget_recipient",
]
