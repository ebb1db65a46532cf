"""The sign-off record of a request, to keep: proven as a zip file, printed as PDF."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.utils.text import slugify

from apps.access.roles import ROLES
from apps.approvals import queries
from apps.approvals.evidence import lines
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.proofs import NotSealed, Prover, write_proven
from apps.core.digests import canonical_text
from apps.core.errors import WrongState
from apps.core.typeset import typeset

if TYPE_CHECKING:
    from apps.approvals.models import ApprovalRequest, SignOff, SignOffWithdrawal

_SIGNED = (
    *(EventType.APPROVAL_APPROVED, EventType.APPROVAL_REJECTED),
    *(EventType.APPROVAL_SENT_BACK, EventType.APPROVAL_SIGNED_OFF),
    EventType.APPROVAL_SIGN_OFF_WITHDRAWN,
)
_HOW = """\
# The sign-off record of {title}

Each folder is one signature, or one taken back: `record.json` is the text that was
signed, `event.json` the entry of the audit trail that holds its SHA-256, and
`event.tlog-proof` shows that the entry is in the trail under a signed checkpoint.
`evidence.json` lists what was signed; its SHA-256 is the evidence digest in each text.

To check all of them, without the portal and without a network, with the key of the
trail that you wrote down (never one that came with this file) and the verifier that the
portal offers at /audit/verify/:

    python3 auditverify.py sign-off {name}.zip --log-key KEY
"""


def record_zip(approval: ApprovalRequest) -> bytes:
    """Put every signature under `approval` and the proof of its event into a zip file.

    A signature whose signer was erased has no text any more and is left out.

    Raises:
        NotSealed: the event of one waits for the sealer.
        WrongState: nobody signed.
    """
    kept = [one for one in _signed_texts(approval) if one[1].record]
    if not kept:
        raise WrongState("Nobody signed this request yet, so there is no record.")
    prover, target = Prover(), BytesIO()
    events = _events_of(approval)
    with ZipFile(target, "w", ZIP_DEFLATED) as file:
        for place, (label, signed) in enumerate(kept, start=1):
            event = events.get(signed.record_sha256)
            if event is None:
                raise NotSealed("A signature has no event; the trail must be repaired.")
            folder = f"{place:02}-{slugify(label)}/"
            file.writestr(f"{folder}record.json", signed.record)
            write_proven(file, folder, event, prover)
        file.writestr("evidence.json", canonical_text(approval.evidence))
        how = _HOW.format(title=str(approval.version), name=file_name(approval))
        file.writestr("README.md", how)
    return target.getvalue()


def file_name(approval: ApprovalRequest) -> str:
    """Name the files of a record, without ending."""
    version = approval.version
    return f"sign-off-{version.model.name}-{version.number}-{approval.pk.hex[:8]}"


def _signed_texts(
    approval: ApprovalRequest,
) -> list[tuple[str, SignOff | SignOffWithdrawal]]:
    """List signatures and withdrawals in the order in which they were made."""
    found: list[tuple[datetime, str, SignOff | SignOffWithdrawal]] = []
    for stage in queries.stages_with_sign_offs(approval):
        for given in stage.sign_offs.all():
            found.append((given.signed_at, stage.title, given))
            taken = getattr(given, "withdrawal", None)
            if taken is not None:
                found.append((taken.at, f"{stage.title} withdrawn", taken))
    found.sort(key=lambda one: one[0])
    return [(label, signed) for _, label, signed in found]


def _events_of(approval: ApprovalRequest) -> dict[str, AuditEvent]:
    """Find the events that hold the digest of a signed text, by that digest."""
    events = AuditEvent.objects.filter(target_id=str(approval.pk), type__in=_SIGNED)
    return {event.changes.get("record_sha256", ""): event for event in events}


def record_pdf(approval: ApprovalRequest) -> bytes:
    """Print what was signed, by whom and in what sense."""
    at = approval.closed_at or approval.status_at
    data = _printed(approval)
    return typeset("apps.approvals", "sign_off_record.typ", data, at=at)


def _printed(approval: ApprovalRequest) -> dict[str, Any]:
    version = approval.version
    return {
        "title": f"{version.model.name}, version {version.number}",
        "facts": [
            ["Project", version.project.name],
            ["Model version", str(version)],
            ["Status", approval.get_status_display()],
            ["Requested", _who_and_when(approval)],
            ["Decided", _moment(approval.closed_at)],
            ["Approved until", _moment(approval.expires_at)],
            ["Policy", f"{approval.policy['title']}, {approval.policy['version']}"],
            ["Verification", f"{file_name(approval)}.zip, with auditverify.py"],
        ],
        "reason": approval.status_reason,
        "digest": approval.evidence_digest,
        "evidence": [
            [part["name"], part["text"], part["digest"] or "as named"]
            for part in lines(approval.evidence)
        ],
        "stages": [
            {
                "title": stage.title,
                "wants": f"{stage.required} × {ROLES[stage.role].title.lower()}: "
                f"“{stage.meaning}”",
                "signatures": [_signature(given) for given in stage.sign_offs.all()],
            }
            for stage in queries.stages_with_sign_offs(approval)
        ],
    }


def _who_and_when(approval: ApprovalRequest) -> str:
    return f"{approval.requested_by.full_name}, {_moment(approval.requested_at)}"


def _signature(given: SignOff) -> dict[str, Any]:
    taken = getattr(given, "withdrawal", None)
    signer = (given.signer_name, given.signer_title, given.signer_organisation)
    return {
        "decision": given.get_decision_display(),
        "rows": [
            ["Signed by", ", ".join(filter(None, signer))],
            *(
                [["In the place of", given.delegation.giver.full_name]]
                if given.delegation
                else ()
            ),
            ["Meaning", given.meaning],
            ["Signed", f"{_moment(given.signed_at)} ({given.time_zone})"],
            ["Method", given.method],
            ["Comment", given.comment or "none"],
            *(
                ["Condition", f"{one.text} ({one.owner.full_name}, by {one.due_on})"]
                for one in given.conditions.all()
            ),
            *(
                [["Taken back", f"{_moment(taken.at)}: {taken.reason}"]]
                if taken
                else ()
            ),
        ],
        "digests": [
            ["Evidence digest", given.evidence_digest],
            ["Digest of this signature", given.record_sha256 or "signer erased"],
        ],
    }


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "–"
