"""How a worker writes an export, telling how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from apps.audit.evidence import checkpoint_at, write_evidence
from apps.audit.exports.chosen import Chosen
from apps.audit.exports.lists import write_csv, write_json_lines
from apps.audit.exports.oscal import assessment_results
from apps.audit.exports.proven import MAX_EVENTS, write_proven
from apps.audit.exports.summary import write_summary
from apps.core.sandbox import STATUS_AFTER, Outcome, Progress, Watch
from apps.exports.actions import ASSESSMENT, RESULT
from apps.exports.models import AuditExport, ExportForm
from apps.exports.rules import can_write_export

BEAT_SECONDS: Final = 0.5

Facts = dict[str, Any]
Write = Callable[[AuditExport, IO[bytes], "Teller"], Facts]


class Stopped(Exception):
    """The export shall not go on; the message is how it ended."""


class TooMany(Exception):
    """There are more events than this form takes."""


class Teller:
    """Passes on how many events are written, at most twice a second.

    Args:
        watch: takes the progress; answers whether to go on.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._next = 0.0
        self.total = 0

    def __call__(self, done: int) -> None:
        """Tell it.

        Raises:
            Stopped: somebody cancelled the export, or another worker has it now.
        """
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BEAT_SECONDS
        ratio = done / self.total if self.total else 0.0
        answer = self._watch(
            Progress(min(ratio, 1.0), f"{done:,} of {self.total:,} events")
        )
        if answer != "go on":
            raise Stopped(STATUS_AFTER.get(answer, answer))


def write(export: AuditExport, folder: Path, watch: Watch) -> Outcome:
    """Write the file of a claimed export into the folder of its outputs."""
    form = export.chosen_form
    decision = can_write_export(export.asked_by, form)
    if not decision:
        return Outcome("failed", folder, code="refused", message=decision.reason)
    try:
        with (folder / "outputs" / RESULT).open("wb") as target:
            facts = _WRITERS[form](export, target, Teller(watch))
    except Stopped as stopped:
        return Outcome(str(stopped), folder)
    except TooMany as error:
        return Outcome("failed", folder, code="too_many", message=str(error))
    if assessment := facts.pop(ASSESSMENT, None):
        (folder / "outputs" / ASSESSMENT).write_bytes(assessment)
    return Outcome("succeeded", folder, result=facts)


def _write_bundle(export: AuditExport, target: IO[bytes], tell: Teller) -> Facts:
    tell.total = export.tree_size
    evidence = write_evidence(
        target, size=export.tree_size, with_names=export.with_names, tell=tell
    )
    return {
        "events": evidence.checkpoint.size,
        "manifest_sha256": evidence.manifest_sha256,
        ASSESSMENT: assessment_results(evidence),
    }


def _write_proofs(export: AuditExport, target: IO[bytes], tell: Teller) -> Facts:
    chosen = _chosen(export, tell)
    if tell.total > MAX_EVENTS:
        raise TooMany(
            f"The filter gives {tell.total:,} events, and this form takes up to "
            f"{MAX_EVENTS:,}. Narrow the filter, or export everything with evidence."
        )
    count, digest = write_proven(target, chosen, tell)
    return {"events": count, "manifest_sha256": digest}


def _write_json_lines(export: AuditExport, target: IO[bytes], tell: Teller) -> Facts:
    chosen, checkpoint = _chosen(export, tell), checkpoint_at(export.tree_size)
    return {"events": write_json_lines(target, chosen, checkpoint, tell)}


def _write_csv(export: AuditExport, target: IO[bytes], tell: Teller) -> Facts:
    chosen, mark = _chosen(export, tell), export.with_byte_order_mark
    return {"events": write_csv(target, chosen, tell, with_mark=mark)}


def _write_summary(export: AuditExport, target: IO[bytes], tell: Teller) -> Facts:
    chosen, checkpoint = _chosen(export, tell), checkpoint_at(export.tree_size)
    at = export.created_at
    return {"events": write_summary(target, chosen, checkpoint, at=at, tell=tell)}


def _chosen(export: AuditExport, tell: Teller) -> Chosen:
    """Give the events of the filter, and tell how many there are."""
    by, size = export.asked_by, export.tree_size
    chosen = Chosen(export.filter, by, size, with_names=export.with_names)
    tell.total = chosen.events().count()
    tell(0)
    return chosen


_WRITERS: dict[ExportForm, Write] = {
    ExportForm.BUNDLE: _write_bundle,
    ExportForm.PROOFS: _write_proofs,
    ExportForm.JSONL: _write_json_lines,
    ExportForm.CSV: _write_csv,
    ExportForm.PDF: _write_summary,
}
