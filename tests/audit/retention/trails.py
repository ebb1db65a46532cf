"""Trails that are old enough, in segments that are small enough to test."""

from datetime import timedelta

import time_machine
from django.db import transaction
from django.utils import timezone

from apps.accounts.actions import service_account
from apps.audit.event_types import EventType
from apps.audit.record import Entry, record_many
from apps.audit.retention import actions
from apps.audit.retention.models import PruneRequest, Segment
from apps.audit.retention.rules import GRACE

UNIT = 256  # leaves of a segment: one tile
YEAR = timedelta(days=365)


def at_another_time(shift: timedelta) -> time_machine.travel:
    """Let the portal's clock be wrong by so much; that of the database stays right."""
    return time_machine.travel(timezone.now() + shift)


def years_ago(years: int):
    return at_another_time(-years * YEAR)


def after_the_grace():
    return at_another_time(GRACE + timedelta(hours=1))


def happen_at_once(count: int) -> None:
    """Record many events in one transaction."""
    worker = service_account()
    with transaction.atomic():
        record_many(
            EventType.ACCOUNT_EDITED,
            entries=[Entry(worker, None, {"number": n}) for n in range(count)],
            by=worker,
        )


def archived(sealer, *, number: int = 0) -> Segment:
    """Archive a segment and seal that it was."""
    segment = actions.archive_segment(number=number, by=service_account(), leaves=UNIT)
    sealer.seal()
    return segment


def agreed(sealer, segment: Segment, people) -> PruneRequest:
    """Let two people agree to remove a segment, and seal that they did."""
    prune = actions.request_prune(
        segment=segment, reason="Schedule 3.2", by=people.administrator
    )
    sealer.seal()
    prune = actions.approve_prune(prune=prune, by=people.auditor)
    sealer.seal()
    return prune


def pruned(sealer, people, *, number: int = 0) -> Segment:
    """Take a segment all the way out of the database."""
    prune = agreed(sealer, archived(sealer, number=number), people)
    with after_the_grace():
        segment = actions.prune_segment(prune=prune, by=service_account())
    sealer.seal()
    return segment
