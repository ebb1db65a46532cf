"""How far each system outside has got the trail."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class StreamPositionQuerySet(models.QuerySet["StreamPosition"]):
    """How far each target of a stream has got."""

    def of(self, name: str) -> StreamPosition:
        """Find the position of a target; a new one begins with the first leaf."""
        return self.get_or_create(name=name)[0]

    def locked(self, name: str) -> StreamPosition:
        """Find the position of a target, and keep others from moving it."""
        return self.select_for_update().get(pk=self.of(name).pk)

    def note_delivery(self, position: StreamPosition, next_index: int) -> bool:
        """Go on to `next_index`, unless somebody moved the position meanwhile."""
        unmoved = self.filter(pk=position.pk, next_index=position.next_index)
        changed = unmoved.update(
            next_index=next_index,
            delivered_at=timezone.now(),
            failures=0,
            last_error="",
        )
        return bool(changed)

    def note_failure(self, name: str, error: str) -> None:
        """Keep why the last delivery failed."""
        self.filter(name=name).update(failures=F("failures") + 1, last_error=error)


class StreamPosition(models.Model):
    """Which leaf of the trail a target outside gets next, and how the last try went."""

    name = models.CharField(max_length=200, unique=True)
    next_index = models.BigIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    last_error = models.TextField(blank=True)

    objects = StreamPositionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(next_index__gte=0), name="audit_stream_from_a_leaf"
            )
        ]

    def __str__(self) -> str:
        return self.name
