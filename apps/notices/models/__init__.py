"""What people are told."""

from apps.notices.models.kinds import NoticeKind
from apps.notices.models.mail import MailPreference, MailWish
from apps.notices.models.notices import Notice, NoticeQuerySet, forget_recipient

__all__ = [
    "MailPreference",
    "MailWish",
    "Notice",
    "NoticeKind",
    "NoticeQuerySet",
    "forget_recipient",
]
