"""Stretches of logging, each told in the trail once, by what can be counted again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import personal, record
from apps.experiments import rules
from apps.experiments.models import LogSegment, Run
from apps.experiments.queries import segment_digest

if TYPE_CHECKING:
    from apps.accounts.models import User

# A segment with so many rows, or so old, ends with the next row, or by the clock.
MOST_ROWS = 10_000
LONGEST = timedelta(minutes=10)
SWEPT_AT_ONCE = 500


def lock_run(run: Run) -> Run:
    """Let nobody else write to a run until the transaction ends.

    Every writer locks this row first, so that they wait for one another and none holds
    what another needs.
    """
    rows = Run.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("experiment__project").get(pk=run.pk)


def open_segment(run: Run, by: User) -> LogSegment:
    """Find where a person's rows of a locked run count now; a new one is not saved."""
    segment = LogSegment.objects.filter(run=run, closed_at__isnull=True).first()
    if segment and (segment.logged_by_id != by.pk or _is_old(segment)):
        _close(run, segment, by)
        segment = None
    if segment is None:
        last = LogSegment.objects.filter(run=run).aggregate(last=Max("number"))["last"]
        segment = LogSegment(
            run=run, number=(last or 0) + 1, logged_by=by, opened_at=timezone.now()
        )
    return segment


def count_rows(
    segment: LogSegment, *, metrics: int, model_metrics: int, parameters: int, by: User
) -> None:
    """Count what was added; a full segment ends."""
    if not metrics + model_metrics + parameters:
        return
    segment.metrics += metrics
    segment.model_metrics += model_metrics
    segment.parameters += parameters
    segment.save()
    if segment.metrics + segment.model_metrics + segment.parameters >= MOST_ROWS:
        _close(segment.run, segment, by)


def close_segment(run: Run, by: User) -> None:
    """End the open segment of a locked run, if it has one."""
    segment = LogSegment.objects.filter(run=run, closed_at__isnull=True).first()
    if segment:
        _close(run, segment, by)


@transaction.atomic
def close_old_segments(*, by: User) -> int:
    """End segments that nobody added to for long, as when a script was killed.

    Returns:
        How many were ended.

    Raises:
        Refused: only the worker.
    """
    ensure(rules.can_close_old_segments(by))
    old = LogSegment.objects.filter(
        closed_at__isnull=True, opened_at__lt=timezone.now() - LONGEST
    ).order_by("opened_at")
    runs = list(old.values_list("run_id", flat=True)[:SWEPT_AT_ONCE])
    locked = Run.objects.select_for_update(
        of=("self",), no_key=True, skip_locked=True
    ).select_related("experiment__project")
    for run in locked.filter(pk__in=runs).order_by("pk"):
        close_segment(run, by)
    return len(runs)


def _is_old(segment: LogSegment) -> bool:
    return segment.opened_at < timezone.now() - LONGEST


def _close(run: Run, segment: LogSegment, by: User) -> None:
    segment.closed_at = timezone.now()
    segment.digest = segment_digest(segment)
    segment.save()
    record(
        EventType.RUN_LOGGED,
        target=run,
        project=run.project,
        by=by,
        changes={
            "segment": segment.number,
            "metrics": segment.metrics,
            "model_metrics": segment.model_metrics,
            "parameters": segment.parameters,
            "digest": segment.digest,
            "logged_by": personal(segment.logged_by),
        },
    )
