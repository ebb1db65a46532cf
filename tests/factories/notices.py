"""Notices as an action writes them, and webhooks."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.notices import actions
from apps.notices.models import Notice, NoticeKind, Webhook
from apps.notices.notify import notify
from apps.projects.models import Project

URL = "https://hooks.agency.example/portal?key=hush"


@dataclass(frozen=True)
class Thing:
    """Something in a project that people are told about."""

    project: Project

    @property
    def pk(self) -> UUID:
        return self.project.pk

    def get_absolute_url(self) -> str:
        return f"{self.project.get_absolute_url()}#thing"


def tell(project, *people, sentence: str = "It moved.", **kwargs) -> None:
    """Tell each of `people` something of `project`."""
    with transaction.atomic():
        notify(
            to=people,
            target=Thing(project),
            sentence=sentence,
            **{"kind": NoticeKind.APPROVAL_STALE, **kwargs},
        )


def told(project, *people, **kwargs) -> Notice:
    """The newest of the notices that tell each of `people` something of `project`."""
    tell(project, *people, **kwargs)
    return Notice.objects.latest("pk")


def webhook(project, by, url: str = URL) -> Webhook:
    """A webhook as a program manager adds it."""
    return actions.add_webhook(project=project, url=url, by=by)
