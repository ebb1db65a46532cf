"""What a signature says in full: the text whose SHA-256 the trail seals."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from apps.access.checks import roles_of
from apps.core.digests import canonical_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.accounts.models import User
    from apps.approvals.models import Condition, SignOff, SignOffWithdrawal
    from apps.projects.models import Project

SIGN_OFF = "portal-sign-off-1"
WITHDRAWAL = "portal-sign-off-withdrawal-1"
INTENT = "I have read the evidence and mean what I sign."


def sign_off_text(given: SignOff, conditions: Sequence[Condition]) -> str:
    """Write a signature in canonical JSON (RFC 8785): who, when, what, in what sense.

    Args:
        given: as it will be stored.
        conditions: those it is given under.
    """
    stage = given.stage
    approval, version = stage.request, stage.request.version
    facts = {
        "format": SIGN_OFF,
        "sign_off": str(given.pk),
        "request": {
            "id": str(approval.pk),
            "policy": f"{approval.policy['name']} version {approval.policy['version']}",
        },
        "model_version": {
            "id": str(version.pk),
            "model": str(version.model),
            "number": version.number,
            "manifest_digest": version.manifest_digest,
        },
        "impact": version.project.impact,
        "evidence": approval.evidence,
        "evidence_digest": given.evidence_digest,
        "stage": {"position": stage.position, "title": stage.title},
        "decision": given.decision,
        "meaning": given.meaning,
        "comment": given.comment,
        "conditions": [_condition(condition) for condition in conditions],
        "signer": signer_facts(given.signer, version.project),
        "intent": INTENT,
        "method": given.method,
        "signed_at": given.signed_at.isoformat(),
        "time_zone": given.time_zone,
    }
    if given.delegation:
        # Ids only: the name of the giver can be erased without this record.
        facts["in_place_of"] = {
            "delegation": str(given.delegation.pk),
            "giver": str(given.delegation.giver_id),
        }
    return canonical_text(facts)


def withdrawal_text(taken: SignOffWithdrawal) -> str:
    """Write the taking back of a signature in canonical JSON (RFC 8785)."""
    given = taken.sign_off
    facts = {
        "format": WITHDRAWAL,
        "withdrawal": str(taken.pk),
        "sign_off": str(given.pk),
        "sign_off_sha256": given.record_sha256,
        "signer": signer_facts(given.signer, given.stage.request.project),
        "reason": taken.reason,
        "method": given.method,
        "at": taken.at.isoformat(),
    }
    return canonical_text(facts)


def signer_facts(person: User, project: Project) -> dict[str, Any]:
    """Say who signs, as they are at this moment, with their roles in the project."""
    return {
        "id": str(person.pk),
        "name": person.full_name,
        "title": person.title,
        "organisation": person.organisation,
        "roles": sorted(role.slug for role in roles_of(person, project)),
    }


def digest_of(text: str) -> str:
    """Return the SHA-256 of a record, as the trail holds it."""
    return hashlib.sha256(text.encode()).hexdigest()


def _condition(condition: Condition) -> dict[str, str]:
    return {
        "text": condition.text,
        "owner": condition.owner.full_name,
        "due_on": condition.due_on.isoformat(),
    }
