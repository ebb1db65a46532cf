"""What a signature seals: every part of the evidence, as names and digests."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from apps.approvals.models import ApprovalRequest, EmergencyApproval
from apps.approvals.standings import differing, sealed_practices, summary
from apps.core import blobs
from apps.core.digests import canonical_digest
from apps.datasets.models import DatasetVersion
from apps.registry.models import CARD_SECTIONS, ModelCard, ModelVersion
from apps.validation.models import ValidationPlan, ValidationReport

# Part of the evidence -> what people call it.
PARTS = {
    "version": "model version",
    "files": "model files",
    "signature": "model signature",
    "dataset": "dataset version",
    "report": "validation report",
    "plan": "validation plan",
    "card": "model card",
    "practices": "minimum practices",
    "policy": "policy",
}


class Recheck(Enum):
    """How much of what is stored is read again when evidence is gathered.

    `ROWS` are what the database holds; `MODEL` reads the files of the model too, as
    whoever serves it must anyway; `ALL` reads also the data, which can be long.
    """

    ROWS = 1
    MODEL = 2
    ALL = 3


def evidence_of(
    report: ValidationReport, policy: dict[str, Any], recheck: Recheck = Recheck.ROWS
) -> dict[str, Any]:
    """Gather what is signed about the version that `report` judges.

    Digests are computed anew from the content, so that a change of one byte shows
    even where the stored digest beside it was left alone.

    Args:
        report: the report that the signers rely on.
        policy: the frozen policy of the request, as JSON.
        recheck: of which stored files the bytes are read again.

    Returns:
        One entry for each of `PARTS`, minimum practices only where the policy asks for
        them; plain JSON.
    """
    version = ModelVersion.objects.select_related(
        "model__project", "run__dataset_version__dataset__project", "card"
    ).get(pk=report.version_id)
    return {
        "version": {"model": str(version.model), "number": version.number},
        "files": {
            "count": len(version.manifest),
            "digest": canonical_digest(_manifest(version, recheck)),
        },
        "signature": {"digest": canonical_digest(version.signature)},
        "dataset": _dataset(version.data, recheck),
        "report": {
            "number": report.number,
            "verdict": report.verdict,
            "digest": canonical_digest(report.result),
        },
        "plan": _plan(report.plan),
        "card": {"digest": canonical_digest(_sections(version.card))},
        **_practices(version, policy),
        "policy": policy,
    }


def moved_parts(
    approval: ApprovalRequest | EmergencyApproval, recheck: Recheck = Recheck.ROWS
) -> list[dict[str, str]]:
    """Compare the evidence as it is now with what was submitted.

    Args:
        approval: any request, or an emergency approval.
        recheck: of which stored files the bytes are read again.

    Returns:
        For each part that differs its key in `part`, what people call it in `name`,
        and its SHA-256 `before` and `after`; empty when all is as it was.
    """
    report = ValidationReport.objects.select_related("plan").get(pk=approval.report_id)
    now = evidence_of(report, approval.policy, recheck)
    if canonical_digest(now) == approval.evidence_digest:
        return []
    then = approval.evidence
    return [
        _moved(part, name, then.get(part), now.get(part))
        for part, name in PARTS.items()
        if now.get(part) != then.get(part)
    ] or [_moved("evidence", "list of evidence", then, now)]


def changed_parts(
    approval: ApprovalRequest | EmergencyApproval, recheck: Recheck = Recheck.ROWS
) -> list[str]:
    """Name the parts of the evidence that are no longer what was submitted."""
    return [part["name"] for part in moved_parts(approval, recheck)]


def _moved(part: str, name: str, before: Any, after: Any) -> dict[str, str]:
    if part == "practices":
        name = f"{name} ({', '.join(differing(before, after))})"
    return {
        "part": part,
        "name": name,
        "before": _digest(before),
        "after": _digest(after),
    }


def _digest(content: Any) -> str:
    if isinstance(content, dict) and "digest" in content:
        return str(content["digest"])
    return canonical_digest(content)


def _manifest(version: ModelVersion, recheck: Recheck) -> list[dict[str, Any]]:
    manifest: list[dict[str, Any]] = version.manifest
    if recheck is Recheck.ROWS:
        return manifest
    return [{**file, "sha256": blobs.digest_of(file["sha256"])} for file in manifest]


def _dataset(version: DatasetVersion | None, recheck: Recheck) -> dict[str, Any] | None:
    if version is None:
        return None
    digest = version.parquet_sha256
    return {
        "name": str(version.dataset),
        "number": version.number,
        "digest": blobs.digest_of(digest) if recheck is Recheck.ALL else digest,
    }


def _plan(plan: ValidationPlan) -> dict[str, Any]:
    content = {"criteria": plan.criteria, "subgroup_columns": plan.subgroup_columns}
    if plan.terms:
        content["terms"] = plan.terms
    return {"number": plan.number, "digest": canonical_digest(content)}


def _practices(version: ModelVersion, policy: dict[str, Any]) -> dict[str, Any]:
    # Requests from before policies named practices keep the evidence they had.
    if not (names := policy.get("required_practices")):
        return {}
    return {"practices": sealed_practices(version, names)}


def _sections(card: ModelCard) -> dict[str, str]:
    return {name: getattr(card, name) for name in CARD_SECTIONS}


def lines(evidence: dict[str, Any]) -> list[dict[str, str]]:
    """List the parts of `evidence` for people, each with name, text and digest."""
    return [
        {
            "name": name.capitalize(),
            "text": _TEXTS[part](evidence[part]),
            "digest": evidence[part].get("digest", ""),
        }
        for part, name in PARTS.items()
        if evidence.get(part) is not None
    ]


_TEXTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "version": lambda part: f"{part['model']} version {part['number']}",
    "files": lambda part: f"{part['count']} files",
    "signature": lambda part: "Columns, threshold and labels",
    "dataset": lambda part: f"{part['name']} version {part['number']}",
    "report": lambda part: f"Report {part['number']}, verdict {part['verdict']}",
    "plan": lambda part: f"Plan {part['number']}",
    "card": lambda part: "What people wrote on it",
    "practices": summary,
    "policy": lambda part: f"{part['title']}, version {part['version']}",
}
