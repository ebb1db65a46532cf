"""The only writer of notices: people are told in the transaction of what they read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection

from apps.accounts.models import UserKind
from apps.core.ids import new_id
from apps.core.queue import enqueue
from apps.notices.models import Notice, NoticeKind

if TYPE_CHECKING:
    from apps.accounts.models import User


class OutsideTransaction(RuntimeError):
    """People were told of what could still be undone."""


class Told(Protocol):
    """What a notice can be about: something with an id and a place of its own."""

    pk: UUID

    def get_absolute_url(self) -> str:
        """Give the address, with the place on the page after a #."""


def notify(
    *, to: Iterable[User], kind: NoticeKind, target: Told, sentence: str, once: str = ""
) -> None:
    """Tell people what happened, or what waits for them.

    Args:
        to: whom; those who cannot sign in are left out, and nobody is told twice.
        kind: of the catalogue.
        target: what it is about and where the notice leads.
        sentence: in plain words, with no name of a person in it.
        once: names the occasion when it comes again and again, as a reminder does;
            each person is told of it only once.

    Raises:
        OutsideTransaction: there is no transaction to commit together with.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"{kind} must be told inside its action.")
    people = {
        person.pk: person
        for person in to
        if person.is_active and person.kind == UserKind.PERSON
    }
    key = f"{kind.value}:{once or new_id()}"
    Notice.objects.keep(
        [
            Notice(
                recipient=person,
                kind=kind.value,
                sentence=sentence,
                path=target.get_absolute_url(),
                object_id=target.pk,
                dedup_key=key,
            )
            for person in people.values()
        ]
    )
    # What comes again and again waits for the clock, which sends it as well.
    if people and settings.MAIL_ON and not once:
        enqueue("notices.mail")
