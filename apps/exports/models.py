"""Exports of the audit trail: what somebody asked for and, for a while, the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.audit.event_types import EventType
from apps.audit.queries import AuditFilter
from apps.jobs.models import BackgroundJob, JobKind, JobQuerySet, JobStatus

if TYPE_CHECKING:
    from apps.accounts.models import User


class ExportForm(models.TextChoices):
    """In which form the trail is exported."""

    BUNDLE = "bundle", "Everything sealed, with its evidence"
    PROOFS = "proofs", "The events of the filter, each with its proof"
    JSONL = "jsonl", "The events of the filter as JSON Lines"
    CSV = "csv", "The events of the filter as a table (CSV)"
    PDF = "pdf", "A summary of the events of the filter (PDF)"

    @property
    def ending(self) -> str:
        """The ending of the file's name."""
        return _FILES.get(self, ("zip", ""))[0]

    @property
    def media_type(self) -> str:
        """The kind of the file."""
        return _FILES.get(self, ("", "application/zip"))[1]

    @property
    def shows(self) -> str:
        """What the file proves and what it cannot, for the person who chooses."""
        return _SHOWS[self]

    @property
    def is_filtered(self) -> bool:
        """Say whether only the events of a filter are in it."""
        return self != ExportForm.BUNDLE


_FILES = {
    ExportForm.JSONL: ("jsonl", "application/x-ndjson"),
    ExportForm.CSV: ("csv", "text/csv; charset=utf-8"),
    ExportForm.PDF: ("pdf", "application/pdf"),
}
_SHOWS = {
    ExportForm.BUNDLE: "Proves, without the portal, that no sealed event was changed, "
    "removed or put in. Only a newer checkpoint kept elsewhere proves that none is "
    "missing at the end.",
    ExportForm.PROOFS: "Proves of each event in it that it is genuine. It cannot prove "
    "that no event was left out.",
    ExportForm.JSONL: "Proves nothing alone. Each line has the sealed text and its "
    "hash, so that it can be compared with a bundle, and so can the whole filter.",
    ExportForm.CSV: "Proves nothing alone. Each row has the place and the hash of the "
    "event, so that it can be compared with a bundle.",
    ExportForm.PDF: "Proves nothing: it counts events for people to read, and shows "
    "the checkpoint that covers them.",
}


class AuditExportQuerySet(JobQuerySet["AuditExport"]):
    """Reads of exports."""

    def visible_to(self, user: User) -> Self:
        """Exports that `user` asked for; nobody sees those of others."""
        return self.filter(asked_by=user)

    def unfinished(self) -> Self:
        """Exports that wait or are being written."""
        return self.filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING])

    def kept_too_long(self) -> Self:
        """Exports whose file is to be removed."""
        return self.filter(removed_at=None, keep_until__lte=timezone.now())


class AuditExport(BackgroundJob):
    """Somebody's wish to take a part of the audit trail out of the portal."""

    kind = JobKind(
        task="exports.write_export",
        events={
            JobStatus.QUEUED: EventType.AUDIT_EXPORT_REQUEUED,
            JobStatus.RUNNING: EventType.AUDIT_EXPORT_STARTED,
            JobStatus.SUCCEEDED: EventType.AUDIT_EXPORTED,
            JobStatus.FAILED: EventType.AUDIT_EXPORT_FAILED,
            JobStatus.CANCELLED: EventType.AUDIT_EXPORT_CANCELLED,
        },
        cancel_requested=EventType.AUDIT_EXPORT_CANCEL_REQUESTED,
        cancel_permission=None,
        lost_message="The worker stopped {attempts} times during this export. Narrow "
        "the filter, or ask an operator.",
    )

    form = models.CharField(max_length=8, choices=ExportForm.choices)
    # The filter, by name; emptied with the file, since it may name a person.
    wanted = models.JSONField(default=dict)
    with_names = models.BooleanField(default=False)
    with_byte_order_mark = models.BooleanField(default=False)
    # Of the checkpoint that covers the events: a second attempt writes the same.
    tree_size = models.BigIntegerField()
    asked_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    event_count = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    assessment_sha256 = models.CharField(max_length=64, blank=True)
    keep_until = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    objects = AuditExportQuerySet.as_manager()

    class Meta(BackgroundJob.Meta):
        constraints = [
            *BackgroundJob.Meta.constraints,
            models.CheckConstraint(
                name="export_succeeded_has_file",
                condition=Q(
                    status="succeeded",
                    event_count__isnull=False,
                    size_bytes__isnull=False,
                    keep_until__isnull=False,
                )
                & ~Q(sha256="")
                | ~Q(status="succeeded") & Q(sha256="", keep_until__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["asked_by", "-id"], name="export_by_person")]

    def __str__(self) -> str:
        return f"export {self.file_name}"

    def get_absolute_url(self) -> str:
        return reverse("exports:export", args=[self.pk])

    @property
    def project(self) -> None:
        """None: the trail belongs to no project."""
        return

    @property
    def filter(self) -> AuditFilter:
        """The filter as it was asked for."""
        return AuditFilter.from_query(self.wanted)

    @property
    def chosen_form(self) -> ExportForm:
        """The form, with what belongs to it."""
        return ExportForm(self.form)

    @property
    def file_name(self) -> str:
        """Name the file by what it is and when it was asked for."""
        asked = f"{self.created_at:%Y%m%d-%H%M%S}"
        return f"audit-{self.form}-{asked}.{self.chosen_form.ending}"

    @property
    def shelf(self) -> str:
        """Where its files lie, apart from everything that is kept for good."""
        return f"exports/{self.pk}/"

    @property
    def has_file(self) -> bool:
        """Say whether there is still something to download."""
        return bool(self.sha256) and self.removed_at is None
