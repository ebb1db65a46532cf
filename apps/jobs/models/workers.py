"""The workers of this portal, as they show themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from apps.access.checks import has_permission
from apps.access.permissions import Permission

if TYPE_CHECKING:
    from apps.accounts.models import User

REMEMBERED = timedelta(days=1)


@dataclass(frozen=True)
class Sign:
    """What a worker says of itself each time it shows up.

    Args:
        queues: whose work it takes.
        concurrency: how many jobs it carries out at once.
        sandbox: how it keeps jobs apart; empty when it can not as the settings demand.
        shortcomings: sentences about what that does not do.
    """

    queues: Sequence[str]
    concurrency: int
    sandbox: str
    shortcomings: Sequence[str]


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Reads, and the writes of a worker about itself, which carry no decision."""

    def visible_to(self, user: User) -> Self:
        """Workers for those who look after the portal; for others none."""
        return (
            self if has_permission(user, Permission.HEALTH_READ, None) else self.none()
        )

    def alive(self) -> Self:
        """Workers that showed themselves lately."""
        limit = timezone.now() - timedelta(seconds=settings.WORKER_SILENT_SECONDS)
        return self.filter(seen_at__gte=limit)

    def note(self, name: str, sign: Sign) -> None:
        """Write down that a worker lives, and forget those long gone."""
        now = timezone.now()
        self.filter(seen_at__lt=now - REMEMBERED).delete()
        self.update_or_create(
            name=name,
            defaults={**asdict(sign), "seen_at": now},
            create_defaults={**asdict(sign), "seen_at": now, "started_at": now},
        )

    def forget(self, name: str) -> None:
        """Take away a worker that stopped as it should."""
        self.filter(name=name).delete()


class Worker(models.Model):
    """A process that carries jobs out, on one of the machines of the portal."""

    name = models.CharField(max_length=200, primary_key=True)
    queues = models.JSONField(default=list)
    concurrency = models.PositiveSmallIntegerField()
    sandbox = models.CharField(max_length=16, blank=True)
    shortcomings = models.JSONField(default=list, blank=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_alive(self) -> bool:
        """Say whether it showed itself lately."""
        silent = timezone.now() - self.seen_at
        return silent <= timedelta(seconds=settings.WORKER_SILENT_SECONDS)
