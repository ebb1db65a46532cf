"""Sending what people and other systems are told."""

import logging
from smtplib import SMTPDataError
from typing import Any

from django.conf import settings

from apps.accounts.actions import service_account
from apps.core.queue import enqueue, task
from apps.notices import actions, queries
from apps.notices.models import Delivery

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 500


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


@task("notices.deliver")
def deliver(*, pk: str, **_: Any) -> None:
    """Try to deliver one message, unless another worker does."""
    found = Delivery.objects.filter(pk=pk).first()
    if found:
        actions.deliver(delivery=found, by=service_account())


@task("notices.deliver_due")
def deliver_due(**_: Any) -> None:
    """Have every message tried whose turn it is; each by itself."""
    for pk in Delivery.objects.due().values_list("pk", flat=True)[:MOST_AT_ONCE]:
        enqueue("notices.deliver", pk=str(pk))
