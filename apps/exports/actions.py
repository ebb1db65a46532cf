"""Everything that happens to an export of the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit import queries
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Checkpoint
from apps.audit.record import personal, record
from apps.core import blobs
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.exports import rules
from apps.exports.models import AuditExport, ExportForm
from apps.exports.wish import Wish
from apps.jobs.actions import finish_job
from apps.jobs.models import JobStatus

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.sandbox import Outcome

RESULT = "result"
ASSESSMENT = "assessment-results.json"


@dataclass(frozen=True)
class ExportFile:
    """What a download is made of."""

    sha256: str
    name: str
    media_type: str
    shelf: str


@transaction.atomic
def request_export(*, wish: Wish, by: User) -> AuditExport:
    """Have a worker export what is sealed now.

    Whoever asks for the same again before it is finished gets the first one.

    Raises:
        Invalid: the filter is none.
        Refused: the person may not export in this form.
        WrongState: nothing is sealed yet, or too many of their exports are unfinished.
    """
    ensure(rules.can_write_export(by, wish.form))
    # The person's row serialises what they ask: a double click finds the first export.
    get_user_model().objects.select_for_update(no_key=True).get(pk=by.pk)
    asked = _columns(wish) | {"asked_by": by}
    if first := AuditExport.objects.unfinished().filter(**asked).first():
        return first
    ensure(rules.can_request_export(by, wish.form))
    newest = Checkpoint.objects.latest("size")
    export = AuditExport(**asked, tree_size=newest.size)
    queries.matching(AuditEvent.objects.exportable_by(by), export.filter)
    export.save()
    record(
        EventType.AUDIT_EXPORT_REQUESTED,
        target=export,
        project=None,
        by=by,
        changes=_told(export),
    )
    enqueue(export.kind.task, pk=str(export.pk))
    return export


def finish_export(
    *, job: AuditExport, outcome: Outcome, by: User
) -> AuditExport | None:
    """Keep how a claimed export ended; a success keeps its file for some days.

    Returns:
        None when the export was given to another worker meanwhile.

    Raises:
        Refused: only workers may.
    """
    # Files first: storing them takes time, and the row shall not be locked for it.
    stored = {
        path.name: blobs.store_path(path, shelf=job.shelf)
        for path in sorted((outcome.folder / "outputs").iterdir())
        if outcome.status == JobStatus.SUCCEEDED
    }

    def keep(job: AuditExport) -> dict[str, Any]:
        file, assessment = stored[RESULT], stored.get(ASSESSMENT)
        job.event_count = outcome.result["events"]
        job.manifest_sha256 = outcome.result.get("manifest_sha256", "")
        job.sha256, job.size_bytes = file.sha256, file.size_bytes
        job.assessment_sha256 = assessment.sha256 if assessment else ""
        job.keep_until = timezone.now() + timedelta(days=settings.EXPORT_KEEP_DAYS)
        job.progress_ratio, job.stage = 1.0, "Finished"
        return _finished(job)

    return finish_job(job=job, outcome=outcome, by=by, keep=keep)


@transaction.atomic
def download_export(
    *, export: AuditExport, by: User, assessment: bool = False
) -> ExportFile:
    """Hand out the file of an export.

    Args:
        export: a finished one.
        by: who asked for it.
        assessment: the OSCAL assessment results beside a bundle, not the bundle.

    Raises:
        Refused: somebody else asked for it, or the person may not export any more.
        WrongState: there is no such file, or no more.
    """
    ensure(rules.can_download_export(by, export))
    file = _assessment_of(export) if assessment else _result_of(export)
    record(
        EventType.AUDIT_EXPORT_DOWNLOADED,
        target=export,
        project=None,
        by=by,
        changes={"file": file.name, "sha256": file.sha256},
    )
    return file


@transaction.atomic
def remove_export(*, export: AuditExport, by: User) -> AuditExport | None:
    """Remove the file of an export whose time is over, and what it was narrowed by.

    Returns:
        None when another worker was faster.

    Raises:
        Refused: only workers may.
    """
    waiting = AuditExport.objects.kept_too_long().filter(pk=export.pk)
    found = waiting.select_for_update(skip_locked=True).first()
    if found is None:
        return None
    ensure(rules.can_remove_export(by, found))
    for digest in filter(None, [found.sha256, found.assessment_sha256]):
        blobs.remove(digest, shelf=found.shelf)
    found.removed_at, found.wanted = timezone.now(), {}
    found.save(update_fields=["removed_at", "wanted"])
    record(
        EventType.AUDIT_EXPORT_REMOVED,
        target=found,
        project=None,
        by=by,
        changes={"sha256": found.sha256},
    )
    return found


def _columns(wish: Wish) -> dict[str, Any]:
    return {
        "form": wish.form.value,
        "wanted": queries.fixed(wish.filter).given if wish.form.is_filtered else {},
        "with_names": wish.with_names and wish.form != ExportForm.PROOFS,
        "with_byte_order_mark": wish.with_byte_order_mark,
    }


def _told(export: AuditExport) -> dict[str, Any]:
    told = {
        "format": export.form,
        "with_names": export.with_names,
        "size": export.tree_size,
    }
    return told | ({"filter": export.filter.recorded} if export.wanted else {})


def _finished(export: AuditExport) -> dict[str, Any]:
    facts = {
        **_told(export),
        "asked_by": personal(export.asked_by),
        "events": export.event_count,
        "sha256": export.sha256,
    }
    if export.manifest_sha256:
        facts["manifest_sha256"] = export.manifest_sha256
    return facts


def _result_of(export: AuditExport) -> ExportFile:
    form = export.chosen_form
    return ExportFile(export.sha256, export.file_name, form.media_type, export.shelf)


def _assessment_of(export: AuditExport) -> ExportFile:
    if not export.assessment_sha256:
        raise Invalid("Only a bundle has OSCAL assessment results beside it.")
    name = f"{export.file_name.removesuffix('.zip')}-{ASSESSMENT}"
    digest = export.assessment_sha256
    return ExportFile(digest, name, "application/json", export.shelf)
