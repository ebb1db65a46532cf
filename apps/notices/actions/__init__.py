"""Sending what people and other systems are told out of the portal."""

from apps.notices.actions.mail import mail_notices
from apps.notices.actions.webhooks import (
    add_webhook,
    deliver,
    remove_webhook,
    resend_delivery,
)

__all__ = [
    "add_webhook",
    "deliver",
    "mail_notices",
    "remove_webhook",
    "resend_delivery",
]
