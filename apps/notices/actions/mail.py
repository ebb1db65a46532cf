"""Mailing notices: the rows are the truth, a letter repeats them."""

from __future__ import annotations

import logging
from smtplib import SMTPRecipientsRefused
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.notices import rules
from apps.notices.mail import letter
from apps.notices.models import MailPreference, MailWish, Notice
from apps.notices.queries import notices_to_mail

if TYPE_CHECKING:
    from apps.accounts.models import User

logger = logging.getLogger(__name__)
MOST_IN_A_LETTER = 100


@transaction.atomic
def mail_notices(*, person: User, by: User) -> int:
    """Write to a person what they were told and have neither read nor got by mail.

    The rows are locked while the letter is handed over: two workers do not write the
    same. A letter that cannot be handed over is tried again by the clock, as long as
    the notices are new.

    Args:
        person: whose notices.
        by: a worker.

    Returns:
        How many notices the letter told; 0 when another worker writes it, or its
        address is refused for good.

    Raises:
        OSError: the mail server does not answer, or not as it should.
        Refused: only workers may.
    """
    ensure(rules.can_mail_notices(by))
    locked = notices_to_mail(person).select_for_update(skip_locked=True, of=("self",))
    notices = list(locked[:MOST_IN_A_LETTER])
    if not notices:
        return 0
    try:
        letter(person, notices).send()
        sent = len(notices)
    except SMTPRecipientsRefused:
        logger.warning("The mail server refuses the address of account %s", person.pk)
        sent = 0
    now = timezone.now()
    ids = [notice.pk for notice in notices]
    Notice.objects.filter(pk__in=ids).update(mailed_at=now)
    chosen = MailPreference.objects.filter(person=person, mail=MailWish.DAILY)
    chosen.update(digest_on=timezone.localtime(now).date())
    return sent
