"""Sending what people are told out of the portal."""

from apps.notices.actions.mail import mail_notices

__all__ = ["mail_notices"]
