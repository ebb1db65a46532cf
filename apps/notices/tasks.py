"""Sending what people are told, by mail."""

import logging
from smtplib import SMTPDataError
from typing import Any

from django.conf import settings

from apps.accounts.actions import service_account
from apps.core.queue import task
from apps.notices import actions, queries

logger = logging.getLogger(__name__)


@task("notices.mail")
def mail_notices(**_: Any) -> None:
    """Write to everybody who has news and wants mail; the next minute tries again."""
    if not settings.MAIL_ON:
        return
    worker = service_account()
    for person in queries.people_to_write_to():
        try:
            actions.mail_notices(person=person, by=worker)
        except SMTPDataError as error:  # about this letter; others may pass
            logger.warning("A letter was not taken: %s", error.smtp_code)
        except OSError as error:
            logger.warning("Mail cannot be sent now: %s", error)
            return
