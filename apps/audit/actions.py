"""What a person can ask of the trail itself, and refusals kept after a rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from apps.audit.event_types import EventType
from apps.audit.record import record

if TYPE_CHECKING:
    from apps.accounts.models import User


@transaction.atomic
def record_refusal(*, by: User, address: str, reason: str) -> None:
    """Keep that a rule refused somebody; the refused change itself left nothing."""
    record(
        EventType.ACCESS_REFUSED,
        target=by,
        project=None,
        by=by,
        changes={"address": address[:300]},
        reason=reason,
    )
