"""Rows that only workers read: bringing them in, and limiting looks at them."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import difference, record
from apps.core import blobs
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.core.sandbox import Outcome
from apps.datasets import queries, rules
from apps.datasets.actions.describe import lock_dataset
from apps.datasets.actions.versions import check_size, name_and_format
from apps.datasets.models import (
    DEFAULT_LOOKS,
    MOST_LOOKS,
    DatasetVersion,
    SealedBudget,
    SealedPart,
)
from apps.jobs.actions import finish_job
from apps.jobs.models import JobStatus
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.blobs import Blob

LONGEST_REASON = 4000


@transaction.atomic
def upload_sealed_part(
    *, version: DatasetVersion, content: IO[bytes], original_name: str, by: User
) -> SealedPart:
    """Take in rows that only workers will read, in a file of their own.

    Args:
        version: gets them as its sealed part; it is read and has none yet.
        content: a seekable binary file, of the columns of the version.
        original_name: its name on the sender's machine; its ending says the format.
        by: somebody who may upload.

    Raises:
        Invalid: empty, of another format, or its rows can be read elsewhere here.
        TooLarge: the file is larger than the portal takes.
        Refused: only who may upload.
        WrongState: the version is not ready, or has a sealed part.
    """
    ensure(rules.can_upload_sealed_part(by, version))
    name, kind = name_and_format(original_name)
    size = content.seek(0, 2)
    check_size(size, settings.UPLOAD_LIMIT_BYTES)
    blobs.require_room(size)
    blob = blobs.store(content)  # before the lock: large files take a while
    dataset = lock_dataset(version.dataset)
    ensure(rules.can_upload_sealed_part(by, version))
    if queries.is_open_file(dataset.project, blob.sha256):
        sentence = (
            "The rows of this file can be read in this project already; a sealed part "
            "has rows that nobody has seen."
        )
        raise Invalid(sentence, fields={"file": sentence})
    part = SealedPart.objects.create(
        version=version,
        original_name=name,
        format=kind,
        original_sha256=blob.sha256,
        original_bytes=blob.size_bytes,
        added_by=by,
    )
    record(
        EventType.SEALED_PART_UPLOADED,
        target=part,
        project=dataset.project,
        by=by,
        changes={"size_bytes": blob.size_bytes, "sha256": blob.sha256},
    )
    enqueue(part.kind.task, pk=str(part.pk))
    return part


def finish_sealed_part(
    *, job: SealedPart, outcome: Outcome, by: User
) -> SealedPart | None:
    """Keep how the reading of sealed rows ended; of them only their number.

    Returns:
        None when the part was given to another worker meanwhile.

    Raises:
        Refused: only workers may.
    """
    outcome = _of_the_same_columns(job.version, outcome)
    if outcome.status == JobStatus.SUCCEEDED:
        blob = blobs.store_path(outcome.folder / "outputs" / "data.parquet")

    def keep(part: SealedPart) -> dict[str, Any]:
        return _keep_rows(part, blob, outcome.result["row_count"])

    return finish_job(job=job, outcome=outcome, by=by, keep=keep)


def _keep_rows(part: SealedPart, blob: Blob, rows: int) -> dict[str, Any]:
    part.parquet_sha256, part.parquet_bytes = blob.sha256, blob.size_bytes
    part.row_count, part.progress_ratio = rows, 1.0
    return {"sealed_rows": rows, "sealed_sha256": blob.sha256}


def keep_split(version: DatasetVersion, outcome: Outcome) -> dict[str, Any]:
    """Keep the rows that reading `version` put aside; return the facts of the event."""
    blob = blobs.store_path(outcome.folder / "outputs" / "sealed.parquet")
    put_aside = outcome.result["sealed"]
    now = timezone.now()
    part = SealedPart(
        version=version,
        seal=version.seal,
        status=JobStatus.SUCCEEDED,
        started_at=version.started_at,
        finished_at=now,
        repeated_count=put_aside["repeated"],
        added_by=version.uploaded_by,
    )
    facts = _keep_rows(part, blob, put_aside["rows"])
    part.save()
    return facts


# A column of few rows can look narrower than it is.
_WIDER = {
    "integer": {"number", "text"},
    "date": {"timestamp", "text"},
    "boolean": {"text"},
    "timestamp": {"text"},
}


def _of_the_same_columns(version: DatasetVersion, outcome: Outcome) -> Outcome:
    """Turn a success with other columns than those of the version into a failure."""
    if outcome.status != JobStatus.SUCCEEDED:
        return outcome
    found = {column["name"]: column["type"] for column in outcome.result["schema"]}
    for column in version.columns:
        name, wanted = column["name"], column["type"]
        kind = found.get(name)
        if kind is None:
            return _misfit(outcome, f"The sealed rows have no column {name}.")
        if kind != wanted and wanted not in _WIDER.get(kind, ()):
            return _misfit(
                outcome,
                f"Column {name} holds {wanted} in the version and {kind} in the "
                "sealed rows.",
            )
    return outcome


def _misfit(outcome: Outcome, sentence: str) -> Outcome:
    return Outcome(
        JobStatus.FAILED,
        outcome.folder,
        code="bad_input",
        message=f"{sentence} Upload rows with the columns of the version.",
    )


@transaction.atomic
def set_sealed_budget(
    *, project: Project, looks: int, reason: str, by: User
) -> SealedBudget:
    """Set how often each model family may look at the sealed data of a dataset.

    Args:
        project: where it counts.
        looks: 0 to 1,000; may be less than were taken.
        reason: why this many.
        by: the program manager.

    Raises:
        Invalid: out of range, or no reason.
        Refused: only the program manager may.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    ensure(rules.can_set_sealed_budget(by, project))
    reason = reason.strip()
    _check_budget(looks, reason)
    budget = SealedBudget.objects.filter(project=project).first()
    before = {"looks": budget.looks if budget else DEFAULT_LOOKS}
    if budget and (budget.looks, budget.reason) == (looks, reason):
        return budget
    budget = budget or SealedBudget(project=project)
    budget.looks, budget.reason = looks, reason
    budget.set_by, budget.set_at = by, timezone.now()
    budget.save()
    record(
        EventType.SEALED_BUDGET_SET,
        target=project,
        project=project,
        by=by,
        changes=difference(before, {"looks": looks}),
        reason=reason,
    )
    return budget


def _check_budget(looks: int, reason: str) -> None:
    faults = {}
    if not 0 <= looks <= MOST_LOOKS:
        faults["looks"] = f"Give a number from 0 to {MOST_LOOKS:,}."
    if not reason or len(reason) > LONGEST_REASON or "\0" in reason:
        faults["reason"] = f"Say why, in at most {LONGEST_REASON:,} characters."
    if faults:
        raise Invalid("The budget needs correcting; see the fields.", fields=faults)
