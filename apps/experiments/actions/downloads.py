"""Tables that people take away, each told in the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.experiments import rules
from apps.experiments.models import Experiment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.accounts.models import User
    from apps.experiments.models import Run, RunImport
    from apps.projects.models import Project


@transaction.atomic
def download_runs(
    *, owner: Experiment | Project, query: str, rows: int, by: User
) -> None:
    """Keep who took away a table of runs of an experiment or a project.

    Args:
        owner: whose runs.
        query: of the address, which says what was asked for.
        rows: how many runs are told of.
        by: who takes it.

    Raises:
        Refused: only who sees the project.
    """
    project = owner.project if isinstance(owner, Experiment) else owner
    ensure(rules.can_download_runs(by, project))
    record(
        EventType.RUN_TABLE_DOWNLOADED,
        target=owner,
        project=project,
        by=by,
        changes={"query": query, "rows": rows},
    )


@transaction.atomic
def download_comparison(*, project: Project, runs: Sequence[Run], by: User) -> None:
    """Keep who took away a comparison of runs.

    Raises:
        Refused: only who sees the project.
    """
    ensure(rules.can_download_comparison(by, project))
    record(
        EventType.RUN_COMPARISON_DOWNLOADED,
        target=project,
        project=project,
        by=by,
        changes={"runs": [str(run.pk) for run in runs]},
    )


@transaction.atomic
def download_import(*, run_import: RunImport, by: User) -> RunImport:
    """Hand out the report of an import, and keep who took it.

    Raises:
        Refused: only who sees the project.
    """
    ensure(rules.can_download_import(by, run_import))
    record(
        EventType.IMPORT_DOWNLOADED,
        target=run_import,
        project=run_import.project,
        by=by,
    )
    return run_import
