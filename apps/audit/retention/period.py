"""How long the trail stays in the database at least."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

MONTHS_OF_A_YEAR: Final = 12
LAST_DAY_OF_ALL_MONTHS: Final = 28


def kept_since() -> datetime:
    """Give the moment before which the retention time is over.

    Days that not every month has count as its 28th, so that nothing goes early.
    """
    now = timezone.now().astimezone(UTC)
    months = now.year * MONTHS_OF_A_YEAR + now.month - 1
    year, month = divmod(months - settings.AUDIT_RETENTION_MONTHS, MONTHS_OF_A_YEAR)
    day = min(now.day, LAST_DAY_OF_ALL_MONTHS)
    return now.replace(year=year, month=month + 1, day=day)
