"""What people are told."""

from apps.notices.models.kinds import NoticeKind
from apps.notices.models.notices import Notice, NoticeQuerySet, forget_recipient

__all__ = ["Notice", "NoticeKind", "NoticeQuerySet", "forget_recipient"]
