"""How far each stream is behind the newest checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from apps.audit.models import Checkpoint, StreamPosition
from apps.audit.streaming.source import covered_size
from apps.audit.streaming.targets import BadTarget, configured_targets

LATE: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class StreamLag:
    """Where the stream to one target stands.

    Args:
        name: of the target.
        next_index: the leaf that it gets next.
        waiting: sealed events that it has not got.
        since: when the oldest of them was sealed; None when it has everything.
        delivered_at: when it last confirmed a batch.
        failures: tries since then that failed.
        last_error: why the last of them failed.
    """

    name: str
    next_index: int
    waiting: int
    since: datetime | None
    delivered_at: datetime | None
    failures: int
    last_error: str

    @property
    def is_late(self) -> bool:
        """Say whether an event has waited for more than a few minutes."""
        return self.since is not None and timezone.now() - self.since > LATE

    def __str__(self) -> str:
        if self.since is None:
            return f"The stream to {self.name} has sent everything."
        why = f" The last try failed: {self.last_error}" if self.failures else ""
        return (
            f"The stream to {self.name} is {self.waiting} events behind, the oldest "
            f"sealed at {self.since:%Y-%m-%d %H:%M:%S} UTC.{why}"
        )


def stream_lags() -> list[StreamLag]:
    """List the lag of each target of the setting; none when that cannot be read."""
    try:
        targets = configured_targets()
    except BadTarget:
        return []
    if not targets:
        return []
    size = covered_size()
    known = {each.name: each for each in StreamPosition.objects.all()}
    return [
        _lag(known.get(target.name) or StreamPosition(name=target.name), size)
        for target in targets
    ]


def late_streams() -> str:
    """Say in a sentence that a stream does not keep up; empty when all do.

    Everybody may read it, so it names no system outside.
    """
    try:
        configured_targets()
    except BadTarget:
        return "The targets of AUDIT_STREAMS cannot be read: nothing is sent to them."
    late = sum(lag.is_late for lag in stream_lags())
    if not late:
        return ""
    return (
        "Sealed events have waited for minutes to be sent to "
        f"{late} system{'s' if late > 1 else ''} outside. They are kept until they "
        "can be."
    )


def _lag(position: StreamPosition, size: int) -> StreamLag:
    return StreamLag(
        name=position.name,
        next_index=position.next_index,
        waiting=max(0, size - position.next_index),
        since=_sealed_at(position.next_index),
        delivered_at=position.delivered_at,
        failures=position.failures,
        last_error=position.last_error,
    )


def _sealed_at(leaf_index: int) -> datetime | None:
    covering = Checkpoint.objects.filter(size__gt=leaf_index).order_by("size")
    return covering.values_list("created_at", flat=True).first()
