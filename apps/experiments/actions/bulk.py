"""Changes of many runs at once: all of them, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.experiments import rules
from apps.experiments.actions.runs import check_tags, keep_tags
from apps.experiments.actions.segments import close_segment
from apps.experiments.models import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from apps.accounts.models import User

# As many as an address of 8,190 characters has room for beside a filter and columns.
MOST_RUNS = 100


class RunCount(Invalid):
    """No run is named, or too many are."""


@transaction.atomic
def tag_runs(*, runs: Iterable[Run], tags: Mapping[str, str], by: User) -> list[Run]:
    """Say the same words about many runs; each run has its own event.

    Raises:
        Invalid: a key or value cannot be kept.
        Refused: somebody may not tag one of them; it is named.
        RunCount: there are none, or more than `MOST_RUNS`.
        WrongState: one of them is put aside; it is named.
    """
    check_tags(tags)
    locked = _locked(runs)
    for run in locked:
        ensure(rules.can_tag_runs(by, run))
        keep_tags(run, tags, by)
    return locked


@transaction.atomic
def delete_runs(*, runs: Iterable[Run], by: User) -> list[Run]:
    """Put many runs aside; nothing of them is lost, and each has its own event.

    Raises:
        Refused: somebody may not put one of them aside; it is named.
        RunCount: there are none, or more than `MOST_RUNS`.
    """
    locked = _locked(runs)
    for run in locked:
        ensure(rules.can_delete_runs(by, run))
        if run.deleted_at:
            continue
        close_segment(run, by)
        run.deleted_at = timezone.now()
        run.save()
        record(EventType.RUN_DELETED, target=run, project=run.project, by=by)
    return locked


@transaction.atomic
def restore_runs(*, runs: Iterable[Run], by: User) -> list[Run]:
    """Bring many runs back; each has its own event.

    Raises:
        Refused: somebody may not bring one of them back; it is named.
        RunCount: there are none, or more than `MOST_RUNS`.
        WrongState: the experiment of one of them is put aside; the run is named.
    """
    locked = _locked(runs)
    for run in locked:
        ensure(rules.can_restore_runs(by, run))
        if run.deleted_at is None:
            continue
        run.deleted_at = None
        run.save()
        record(EventType.RUN_RESTORED, target=run, project=run.project, by=by)
    return locked


def _locked(runs: Iterable[Run]) -> list[Run]:
    """Lock runs in the order of their ids, so that two changes wait for each other."""
    ids = {run.pk for run in runs}
    if not 1 <= len(ids) <= MOST_RUNS:
        raise RunCount(f"Choose 1 to {MOST_RUNS} runs of this project.")
    rows = Run.objects.select_for_update(of=("self",), no_key=True)
    rows = rows.select_related("experiment__project").filter(pk__in=ids)
    return list(rows.order_by("pk"))
