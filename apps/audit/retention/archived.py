"""The answer where an event is asked for that left the portal, or is about to."""

from __future__ import annotations

from uuid import UUID

from apps.audit.retention.models import Segment
from apps.core.errors import Archived


def raise_if_archived(event_id: UUID) -> None:
    """Say which archive to ask for, when an event of that time may be in one.

    An id tells when an event was made; whether there was one, only the archive tells.

    Raises:
        Archived: the events of that time were removed, or are being removed.
    """
    numbers = sorted(
        Segment.objects.around(event_id).values_list("number", flat=True).distinct()
    )
    if numbers:
        listed = " or ".join(str(number) for number in numbers)
        raise Archived(
            f"Events of that time are archived: ask an auditor for archive {listed} "
            "of the audit trail."
        )
