"""Who may export the audit trail, and who may have the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.audit.models import Checkpoint
from apps.audit.rules import can_export_audit_bundle, can_export_audit_trail
from apps.exports.models import AuditExport, ExportForm

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_UNFINISHED: Final = 5  # of one person; each takes a worker and some disk


def can_request_export(user: User, form: ExportForm) -> Decision:
    """Say whether `user` may have the trail exported in this form now."""
    decision = can_write_export(user, form)
    if not decision:
        return decision
    if not Checkpoint.objects.exists():
        return NotNow("Nothing is sealed yet. Start the sealer and try again.")
    unfinished = AuditExport.objects.visible_to(user).unfinished()
    if unfinished.count() >= MAX_UNFINISHED:
        return NotNow(
            f"{MAX_UNFINISHED} exports of yours are not finished yet. Wait for one of "
            "them, or cancel one."
        )
    return ALLOWED


def can_write_export(user: User, form: ExportForm) -> Decision:
    """Say whether what `user` asked for may be written: they may have lost a role."""
    if form.is_filtered:
        return can_export_audit_trail(user)
    return can_export_audit_bundle(user)


def can_download_export(user: User, export: AuditExport) -> Decision:
    """Say whether `user` may have the file of `export` now."""
    if export.asked_by_id != user.pk:
        return Denied("Only who asked for this export can download it.")
    decision = can_write_export(user, export.chosen_form)
    if decision and not export.sha256:
        return NotNow("This export has no file.")
    if decision and not export.has_file:
        return NotNow("The file was removed after its time. Ask for the export again.")
    return decision


def can_remove_export(user: User, export: AuditExport) -> Decision:
    """Say whether `user` may remove the file of `export`: workers, after its time."""
    return permitted(user, Permission.JOB_RUN, None)
