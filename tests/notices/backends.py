"""Mail servers that say no."""

from smtplib import SMTPDataError, SMTPRecipientsRefused

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.locmem import EmailBackend


class UnknownAddress(BaseEmailBackend):
    def send_messages(self, messages):
        raise SMTPRecipientsRefused({messages[0].to[0]: (550, b"No such user")})


class DislikesTheFirst(EmailBackend):
    def send_messages(self, messages):
        if messages[0].to == ["developer@agency.example"]:
            raise SMTPDataError(554, b"Looks like spam")
        return super().send_messages(messages)
