"""What exceptions say in full: the texts whose SHA-256 the trail seals."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.conf import settings

from apps.approvals.models import SignedExceptionally
from apps.approvals.practices import framework
from apps.approvals.records import INTENT, digest_of, signer_facts
from apps.core.digests import canonical_text

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import EmergencySignature, Waiver, WaiverRevocation
    from apps.projects.models import Project

EMERGENCY = "portal-emergency-1"
WAIVER = "portal-waiver-1"
REVOCATION = "portal-waiver-revocation-1"
S = TypeVar("S", bound=SignedExceptionally)


def signed_by(signed: S, by: User) -> S:
    """Put into `signed` who signs, as they are now, and where the clock stands."""
    signed.signer = by
    signed.signer_name = by.full_name
    signed.signer_title = by.title
    signed.signer_organisation = by.organisation
    signed.time_zone = settings.TIME_ZONE
    return signed


def sealed(signed: S, text: str) -> S:
    """Keep the text that is signed, and its digest."""
    signed.record, signed.record_sha256 = text, digest_of(text)
    return signed


def waiver_text(waiver: Waiver) -> str:
    """Write a waiver in canonical JSON (RFC 8785)."""
    known = framework()
    return canonical_text(
        {
            "format": WAIVER,
            "waiver": str(waiver.pk),
            "framework": f"{known.name} version {known.version}",
            "project": {"id": str(waiver.project_id), "slug": waiver.project.slug},
            "practices": waiver.practices,
            "ground": waiver.ground,
            "finding": waiver.finding,
            "public_summary": waiver.public_summary,
            "expires_on": waiver.expires_on.isoformat(),
            "meaning": "Waived practice",
            **_signature(waiver, waiver.project),
        }
    )


def revocation_text(ended: WaiverRevocation) -> str:
    """Write the revoking of a waiver in canonical JSON (RFC 8785)."""
    return canonical_text(
        {
            "format": REVOCATION,
            "revocation": str(ended.pk),
            "waiver": str(ended.waiver_id),
            "waiver_sha256": ended.waiver.record_sha256,
            "reason": ended.reason,
            **_signature(ended, ended.waiver.project),
        }
    )


def _signature(signed: SignedExceptionally, project: Project) -> dict[str, object]:
    return {
        "signer": signer_facts(signed.signer, project),
        "intent": INTENT,
        "method": signed.method,
        "signed_at": signed.signed_at.isoformat(),
        "time_zone": signed.time_zone,
    }


def emergency_text(given: EmergencySignature) -> str:
    """Write a signature under an emergency approval in canonical JSON (RFC 8785)."""
    emergency, version = given.emergency, given.emergency.version
    return canonical_text(
        {
            "format": EMERGENCY,
            "signature": str(given.pk),
            "emergency": {
                "id": str(emergency.pk),
                "declared_at": emergency.declared_at.isoformat(),
                "confirm_by": emergency.confirm_by.isoformat(),
                "holds_until": emergency.holds_until.isoformat(),
                "reason": emergency.reason,
                "unmet_practices": emergency.unmet_practices,
            },
            "model_version": {
                "id": str(version.pk),
                "model": str(version.model),
                "number": version.number,
                "manifest_digest": version.manifest_digest,
            },
            "impact": version.project.impact,
            "evidence": emergency.evidence,
            "evidence_digest": given.evidence_digest,
            "meaning": given.get_meaning_display(),
            "comment": given.comment,
            **_signature(given, version.project),
        }
    )
