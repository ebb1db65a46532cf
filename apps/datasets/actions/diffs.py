"""Comparing two versions of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.csv_cells import csv_text
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.datasets import queries, rules
from apps.datasets.actions.describe import lock_dataset
from apps.datasets.models import DatasetVersion, VersionDiff
from apps.jobs.actions import finish_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.accounts.models import User
    from apps.core.sandbox import Outcome


@transaction.atomic
def request_diff(
    *, before: DatasetVersion, after: DatasetVersion, key: Sequence[str], by: User
) -> VersionDiff:
    """Have a worker compare two versions, or find the comparison that was made.

    Args:
        before: the version to start from.
        after: the version to end at, of the same dataset.
        key: columns that tell rows apart; none compares whole rows.
        by: somebody who may download the data, which the answer shows parts of.

    Raises:
        Invalid: not two versions of one dataset, or no such key column.
        Refused: the person may not.
        WrongState: a version is not ready.
    """
    lock_dataset(after.dataset)  # two who ask at once get the same comparison
    for version in (before, after):
        ensure(rules.can_request_diff(by, version))
    _check_pair(before, after, key)
    asked = {"before": before, "after": after, "key": list(key)}
    if known := VersionDiff.objects.useful().filter(**asked).first():
        return known
    diff = VersionDiff.objects.create(**asked, asked_by=by)
    record(
        EventType.DATASET_DIFF_REQUESTED,
        target=diff,
        project=diff.project,
        by=by,
        changes={"key": ", ".join(key) or "whole rows"},
    )
    enqueue(diff.kind.task, pk=str(diff.pk))
    return diff


def finish_diff(*, job: VersionDiff, outcome: Outcome, by: User) -> VersionDiff | None:
    """Keep how a claimed comparison ended.

    Returns:
        None when it was given to another worker meanwhile.

    Raises:
        Refused: only workers may.
    """

    def keep(diff: VersionDiff) -> dict[str, Any]:
        diff.result = {k: outcome.result[k] for k in ("schema", "rows", "columns")}
        diff.progress_ratio = 1.0
        rows = diff.result["rows"]
        return {kind: rows[kind] for kind in ("added", "removed", "changed")}

    return finish_job(job=job, outcome=outcome, by=by, keep=keep)


@transaction.atomic
def download_diff(*, diff: VersionDiff, by: User) -> str:
    """Hand out the changed rows that a comparison shows, as CSV; keep who took them.

    Raises:
        Refused: only who may download data.
        WrongState: the comparison is not ready.
    """
    ensure(rules.can_download_diff(by, diff))
    record(
        EventType.DATASET_DOWNLOADED,
        target=diff,
        project=diff.project,
        by=by,
        changes={"content": "changed rows"},
    )
    return csv_text(queries.example_rows(diff))


def _check_pair(
    before: DatasetVersion, after: DatasetVersion, key: Sequence[str]
) -> None:
    if before.dataset_id != after.dataset_id or before.pk == after.pk:
        sentence = "Choose two different versions of this dataset."
        raise Invalid(sentence, fields={"before": sentence})
    shared = set(before.column_names) & set(after.column_names)
    for name in key:
        if name not in shared:
            sentence = f'Both versions need a column "{name}" to be compared by it.'
            raise Invalid(sentence, fields={"key": sentence})
