"""Notices as an action writes them."""

from django.db import transaction

from apps.notices.models import Notice, NoticeKind
from apps.notices.notify import notify


def told(project, *people, sentence: str = "It moved.", **kwargs) -> Notice:
    """The newest of the notices that tell each of `people` something of `project`."""
    with transaction.atomic():
        notify(
            to=people,
            kind=NoticeKind.APPROVAL_STALE,
            target=project,
            sentence=sentence,
            **kwargs,
        )
    return Notice.objects.latest("pk")
