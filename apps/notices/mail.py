"""The letter that tells somebody what stands in their inbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.notices.models import Notice


def address_of(path: str) -> str:
    """Give the whole address of a page, as it is reached from outside."""
    return f"{settings.PORTAL_URL.rstrip('/')}{path}"


def letter(person: User, notices: Sequence[Notice]) -> EmailMessage:
    """Write notices to a person, as plain text with a link to each.

    Args:
        person: the address is that of the account, as it is now.
        notices: one or more.
    """
    lines = [f"{_line(one)}\n{address_of(one.path)}" for one in notices]
    subject = _line(notices[0])
    if len(notices) > 1:
        subject = f"{len(notices)} news in your inbox"
    ending = (
        "You are written to because of your part in these. Choose how often:\n"
        f"{address_of(reverse('notices:mail'))}"
    )
    return EmailMessage(
        subject=f"[MLOps Portal] {subject}",
        body="\n\n".join([*lines, "--", ending]) + "\n",
        to=[person.email],
        # So that no machine answers it, RFC 3834.
        headers={"Auto-Submitted": "auto-generated"},
    )


def _line(notice: Notice) -> str:
    return " ".join(notice.sentence.split())
