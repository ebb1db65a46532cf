"""What a certificate of regeneration says, and how it is proven without the portal."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.proofs import NotSealed, Prover, write_proven
from apps.core.digests import canonical_text

if TYPE_CHECKING:
    from apps.training.models import Regeneration

FORMAT = "portal-regeneration-1"
PARTS = (
    *("verdict", "sentence", "causes", "other_differences", "first_step", "steps"),
    *("files", "metrics", "predictions", "tolerance", "records"),
)
_HOW = """\
# A certificate of regeneration

`certificate.json` says whether a training that was done again from its record came
out the same, and what was compared. `event.json` is the entry of the audit trail that
holds the SHA-256 of the certificate; `event.tlog-proof` shows that the entry is in the
trail under a signed checkpoint.

To check all three, without the portal and without a network, with the key of the trail
that you wrote down (never one that came with this file) and the verifier that the
portal offers at /audit/verify/:

    python3 auditverify.py certificate {name} --log-key KEY

Add `--file model.skops` to learn whether a file that you have is the one that is
certified. The same by hand: `auditverify.py event event.tlog-proof event.json
--log-key KEY` checks the entry, and its `certificate_sha256` must be what
`sha256sum certificate.json` prints.
"""


def certificate_text(job: Regeneration, result: dict[str, Any]) -> str:
    """Write the certificate of a finished regeneration in canonical JSON.

    Args:
        job: what was asked for.
        result: what the comparison said.
    """
    run = job.run
    version = run.model_versions.active().order_by("-pk").first()
    facts = {
        "format": FORMAT,
        "regeneration": {"id": str(job.pk), "number": job.number},
        "run": {"id": str(run.pk), "name": run.name, "project": run.project.slug},
        "model_version": None
        if version is None
        else {
            "id": str(version.pk),
            "model": version.model.name,
            "number": version.number,
            "manifest_digest": version.manifest_digest,
        },
        "record_sha256": job.record_sha256,
        **{part: result.get(part) for part in PARTS},
    }
    return canonical_text(facts)


def certificate_file(job: Regeneration) -> bytes:
    """Put the certificate and the proof of its event into a zip file.

    Raises:
        NotSealed: the event waits for the sealer.
    """
    event = AuditEvent.objects.filter(
        type=EventType.REGENERATION_CERTIFIED, target_id=str(job.pk)
    ).first()
    if event is None:
        raise NotSealed("There is no certificate: this regeneration has no result.")
    target = BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as file:
        file.writestr("certificate.json", job.certificate)
        write_proven(file, "", event, Prover())
        file.writestr("README.md", _HOW.format(name=file_name(job)))
    return target.getvalue()


def file_name(job: Regeneration) -> str:
    """Name the file of a certificate after its regeneration."""
    return f"regeneration-{job.pk}.zip"
