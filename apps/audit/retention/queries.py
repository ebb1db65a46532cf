"""What pages, exports and the inspection ask about segments and holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Head, Leaf
from apps.audit.retention.holds import obstacle_to_pruning
from apps.audit.retention.models import (
    LegalHold,
    PruneRequest,
    PruneStatus,
    Pruning,
    Segment,
)
from apps.audit.transparency.pruning import (
    SEGMENT_LEAVES,
    Pruned,
    segment_count,
    segment_leaves,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import User

SHOWN_WAITING = 20  # segments that are not archived yet


@dataclass(frozen=True)
class SegmentLine:
    """One line of the table of segments.

    Args:
        number: of the segment.
        first_leaf: its first event.
        last_leaf: its last event.
        first_at: when the first was recorded; None when it is missing.
        last_at: when the last was recorded.
        segment: what is known of its archive; None while there is none.
        state: in a word or two.
        obstacle: what keeps it, in a sentence; empty when nothing does.
    """

    number: int
    first_leaf: int
    last_leaf: int
    first_at: datetime | None
    last_at: datetime | None
    segment: Segment | None
    state: str
    obstacle: str = ""

    @property
    def title(self) -> str:
        """Name the segment."""
        return f"Segment {self.number}"

    @property
    def kind(self) -> str:
        """Give the kind of badge."""
        return KINDS.get(self.state, "warning")


KINDS = {"Archived": "success", "Not archived": "info", "Pruned": "neutral"}
STATES = {"waiting": "Asked to prune", "approved": "To be pruned", "done": "Pruned"}


def lines(segments: Iterable[Segment]) -> list[SegmentLine]:
    """Describe archived segments, each with what keeps it."""
    return [line_of(segment) for segment in segments]


def line_of(segment: Segment) -> SegmentLine:
    """Describe one archived segment."""
    asked = open_request(segment)
    state = STATES[asked.status] if asked else "Archived"
    is_gone = asked is not None and asked.status == "done"
    return SegmentLine(
        segment.number,
        segment.first_leaf,
        segment.last_leaf,
        segment.first_at,
        segment.last_at,
        segment,
        state,
        "" if is_gone else obstacle_to_pruning(segment),
    )


def open_request(segment: Segment) -> PruneRequest | None:
    """Give the request that counts for a segment; stopped ones do not."""
    return next(
        (one for one in segment.prune_requests.all() if one.status != "withdrawn"),
        None,
    )


def lines_without_archive(*, leaves: int = SEGMENT_LEAVES) -> list[SegmentLine]:
    """Describe the newest complete segments of which there is no archive yet."""
    waiting = numbers_without_archive(leaves=leaves)[::-1]
    return [_line_of_number(number, leaves) for number in waiting[:SHOWN_WAITING]]


def _line_of_number(number: int, leaves: int) -> SegmentLine:
    span = segment_leaves(number, leaves=leaves)
    times = dict(
        Leaf.objects.filter(leaf_index__in=[span.start, span.stop - 1]).values_list(
            "leaf_index", "event__at"
        )
    )
    return SegmentLine(
        number,
        span.start,
        span.stop - 1,
        times.get(span.start),
        times.get(span.stop - 1),
        None,
        "Not archived",
    )


def pruned_segments() -> list[Pruned]:
    """List what was removed by agreement, the agreement sealed in the trail.

    Whoever removes rows by other means can write in this table too; the agreement
    they cannot write, since the sealer signs nothing that is not the portal's. An
    agreement may itself be in a segment that was removed later.
    """
    found: list[Pruned] = []
    rows = Pruning.objects.select_related("segment").order_by("-approved_leaf")
    for row in rows:
        segment = row.segment
        is_gone = any(row.approved_leaf in later for later in found)
        if is_gone or _agreement(segment, row.approved_leaf):
            found.append(
                Pruned(segment.first_leaf, segment.last_leaf, segment.archive_sha256)
            )
    return sorted(found)


def _agreement(segment: Segment, leaf: int) -> bool:
    agreed = sealed_events(segment, EventType.AUDIT_PRUNE_APPROVED)
    return bool(agreed.filter(leaf__leaf_index=leaf).exists())


def sealed_events(segment: Segment, kind: EventType) -> QuerySet[AuditEvent]:
    """Give the sealed events of one kind about a segment."""
    found: QuerySet[AuditEvent] = AuditEvent.objects.filter(
        type=kind,
        target_type=Segment._meta.label_lower,
        target_id=str(segment.pk),
        leaf__isnull=False,
    )
    return found


def names_of(rows: Iterable[PruneRequest | LegalHold]) -> dict[UUID | None, str]:
    """Give the names of the people in these rows, as they are known today."""
    ids: set[UUID] = set()
    for row in rows:
        ids |= {
            value
            for name, value in vars(row).items()
            if name.endswith("_by_id") and value
        }
    people: Any = get_user_model().objects.in_bulk(list(ids))
    return {pk: person.full_name for pk, person in people.items()}


def numbers_without_archive(*, leaves: int = SEGMENT_LEAVES) -> list[int]:
    """List the complete segments of which there is no archive, oldest first."""
    head = Head.objects.first()
    complete = range(segment_count(head.size, leaves=leaves) if head else 0)
    archived = set(Segment.objects.values_list("pk", flat=True))
    return [number for number in complete if number not in archived]


def agreed_prunes() -> list[PruneRequest]:
    """List the removals that two people agreed to and that are not done."""
    agreed = PruneRequest.objects.filter(status=PruneStatus.APPROVED)
    return list(agreed.select_related("segment").order_by("pk"))


def service_account() -> User:
    """Return the account that background work acts as."""
    account: User = get_user_model().objects.get(kind="service")
    return account
