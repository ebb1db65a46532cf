"""What the portal knows of a version when a report on it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core.digests import canonical_digest
from apps.training.models import Sameness
from apps.training.reading import latest_verdict
from engine.spec import Fact

if TYPE_CHECKING:
    from apps.registry.models import ModelVersion

_SAME = (Sameness.IDENTICAL, Sameness.WITHIN_TOLERANCE)


def facts_of(version: ModelVersion) -> tuple[Fact, ...]:
    """Gather the facts of the family `portal`, as they are now."""
    return (_contract(version), _regeneration(version), *_files(version))


def _contract(version: ModelVersion) -> Fact:
    data = version.data
    check = data.contract_check if data else None
    if data is None or check is None:
        reason = "The data was held against no contract."
        return Fact("data_contract", None, reason)
    kept = float(check["verdict"] != "failed")
    said = f"Revision {check['revision']}: {check['verdict']}."
    source, digest = data.get_absolute_url(), canonical_digest(check)
    return Fact("data_contract", kept, said, source, digest)


def _regeneration(version: ModelVersion) -> Fact:
    found = latest_verdict(version.run) if version.run else None
    if found is None:
        return Fact("regeneration", None, "The run was not regenerated yet.")
    same = float(found.verdict in _SAME)
    source, digest = found.get_absolute_url(), found.certificate_sha256
    return Fact("regeneration", same, str(found.facts["sentence"]), source, digest)


def _files(version: ModelVersion) -> tuple[Fact, Fact]:
    rest = (version.get_absolute_url(), version.manifest_digest)
    unsafe = [file["path"] for file in version.pickles]
    total = sum(file["size_bytes"] for file in version.manifest)
    said = f"{unsafe[0]} can run code." if unsafe else "None can run code when read."
    return (
        Fact("file_safety", float(not unsafe), said, *rest),
        Fact("files_bytes", float(total), f"{len(version.manifest)} files.", *rest),
    )
