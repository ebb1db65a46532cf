"""What a bundle supports, in the words of an assessment (OSCAL assessment results)."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from apps.audit.evidence import Evidence
from apps.audit.transparency.bundle import checkpoint_of

OSCAL_VERSION: Final = "1.2.1"
# Ours alone: with it, the same bundle gives the same identifiers again.
_NAMESPACE: Final = UUID("7c8d1c5e-4b0a-5f7e-9a50-2f6a1f0d3c11")
_EXAMINE: Final = "EXAMINE"
_TEST: Final = "TEST"


class Observation(NamedTuple):
    """What a bundle shows about one control of NIST SP 800-53 Rev. 5.

    Attributes:
        control: its identifier in OSCAL catalogues.
        method: how one finds out.
        description: what one finds.
    """

    control: str
    method: str
    description: str


OBSERVATIONS: Final = (
    Observation(
        "au-2",
        _EXAMINE,
        "Event logging. Each event states its type; the list of all types that the "
        "portal records is part of its documentation. This supports AU-2.",
    ),
    Observation(
        "au-3",
        _EXAMINE,
        "Content of audit records. Each event states what happened, when, where, "
        "through which door, with which outcome, to which object, and the account and "
        "roles of who did it. This supports AU-3.",
    ),
    Observation(
        "au-6",
        _EXAMINE,
        "Audit record review. The bundle can be read, filtered and verified without "
        "the portal; looks at the trail and exports of it are events themselves. This "
        "supports AU-6; whether somebody reviews, it cannot show.",
    ),
    Observation(
        "au-8",
        _EXAMINE,
        "Time stamps. Each event has its time in UTC to the microsecond, from the "
        "clock of the portal's host. Cosignatures and time stamps of others in the "
        "bundle bound it. This supports AU-8.",
    ),
    Observation(
        "au-9",
        _TEST,
        "Protection of audit information. Verification with a key and a checkpoint "
        "from outside shows every change to sealed events. This supports AU-9.",
    ),
    Observation(
        "au-9.3",
        _TEST,
        "Cryptographic protection. The events are the leaves of a Merkle tree "
        "(RFC 6962, SHA-256) whose states are signed with Ed25519. This supports "
        "AU-9(3).",
    ),
    Observation(
        "au-10",
        _TEST,
        "Non-repudiation. Each event binds an account to an action under the log's "
        "signature; a proof of one event can be verified alone. This supports AU-10.",
    ),
    Observation(
        "au-11",
        _TEST,
        "Audit record retention. The bundle holds every event from the first to the "
        "size that its checkpoint states. This supports AU-11.",
    ),
    Observation(
        "au-12",
        _EXAMINE,
        "Audit record generation. Events are written in the transaction of the change "
        "that they tell of: without the event there is no change. This supports AU-12.",
    ),
)


def assessment_results(evidence: Evidence) -> bytes:
    """Write assessment results for a bundle; the same bundle gives the same bytes.

    Args:
        evidence: what the bundle ends with.

    Source:
        NIST OSCAL, assessment results model 1.2.1.
    """
    of = _Identifiers(evidence)
    signed_at = evidence.checkpoint.created_at.astimezone(UTC)
    moment = signed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    document = {
        "uuid": of("document"),
        "metadata": {
            "title": "Sealed audit trail of the MLOps Portal",
            "last-modified": moment,
            "version": str(evidence.checkpoint.size),
            "oscal-version": OSCAL_VERSION,
            "remarks": "Observations only. Whether a control is satisfied is for the "
            "assessor to decide.",
        },
        "import-ap": {
            "href": f"#{of('plan')}",
            "remarks": "The portal writes no assessment plan; the resource stands for "
            "that of the assessor.",
        },
        "results": [_result(evidence, of, moment)],
        "back-matter": {"resources": _resources(evidence, of)},
    }
    text = json.dumps({"assessment-results": document}, indent=2, ensure_ascii=False)
    return f"{text}\n".encode()


class _Identifiers:
    """Gives each part the same UUID (version 5) whenever the bundle is the same."""

    def __init__(self, evidence: Evidence) -> None:
        root = checkpoint_of(evidence.checkpoint.note).root.hex()
        self._bundle = uuid5(_NAMESPACE, f"{root} {evidence.manifest_sha256}")

    def __call__(self, part: str) -> str:
        return str(uuid5(self._bundle, part))


def _result(evidence: Evidence, of: _Identifiers, moment: str) -> dict[str, Any]:
    controls = [{"control-id": one.control} for one in OBSERVATIONS]
    return {
        "uuid": of("result"),
        "title": f"{evidence.checkpoint.size} sealed events",
        "description": "What the exported audit trail shows about controls of the "
        "family Audit and Accountability.",
        "start": moment,
        "reviewed-controls": {"control-selections": [{"include-controls": controls}]},
        "observations": [
            {
                "uuid": of(one.control),
                "title": one.control.upper().replace(".3", "(3)"),
                "description": one.description,
                "methods": [one.method],
                "types": ["control-objective"],
                "relevant-evidence": [
                    {
                        "href": f"#{of('bundle')}",
                        "description": "The bundle. Verify it with auditverify.py, the "
                        "key of the log on paper and a checkpoint kept outside.",
                    }
                ],
                "collected": moment,
            }
            for one in OBSERVATIONS
        ],
    }


def _resources(evidence: Evidence, of: _Identifiers) -> list[dict[str, Any]]:
    return [
        {
            "uuid": of("bundle"),
            "title": "Audit bundle",
            "description": "MANIFEST.json of the bundle names every file in it with "
            f"its SHA-256. It ends with this checkpoint:\n\n{evidence.checkpoint.note}",
            "rlinks": [
                {
                    "href": "MANIFEST.json",
                    "media-type": "application/json",
                    "hashes": [
                        {"algorithm": "SHA-256", "value": evidence.manifest_sha256}
                    ],
                }
            ],
        },
        {
            "uuid": of("plan"),
            "title": "Assessment plan of the assessor",
            "description": "Not part of the portal.",
        },
    ]
