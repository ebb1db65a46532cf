"""One finished report as one document, from which every face and file is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from apps.core.digests import canonical_digest
from apps.core.errors import WrongState
from apps.jobs.models import JobStatus
from apps.validation.models import Rows
from apps.validation.reading import champion_saw_other_rows

if TYPE_CHECKING:
    from apps.registry.models import ModelVersion
    from apps.validation.models import ValidationReport

Json = dict[str, Any]
FORMAT: Final = "portal-validation-report-1"
_LARGEST_WHOLE: Final = 2**53 - 1


def report_document(report: ValidationReport) -> Json:
    """Put together what a finished report says, the same for every reader, for ever.

    Only what never changes is in it: people by the id of their account, no findings.

    Args:
        report: with everything it came from (`queries.with_origins`).

    Returns:
        `document` (format `portal-validation-report-1`, which holds the digest of the
        result), its `digest` (SHA-256 of its canonical JSON), and the `result`.

    Raises:
        WrongState: the report is not finished.
    """
    if report.status != JobStatus.SUCCEEDED:
        raise WrongState(
            "This report has no result yet, so there is nothing to read or download."
        )
    document = _document(report)
    return {
        "digest": canonical_digest(document),
        "document": document,
        "result": whole_numbers_that_fit(report.result),
    }


def _document(report: ValidationReport) -> Json:
    plan = report.plan
    return {
        "format": FORMAT,
        "report": {
            "id": str(report.pk),
            "number": report.number,
            "evaluated_on": report.evaluated_on,
            "look": _look(report),
            "rows": report.result.get("rows"),
            "requested_by": str(report.requested_by_id),
            "requested_at": _moment(report.created_at),
            "finished_at": _moment(report.finished_at),
        },
        "version": _version(report.version) | {"project": report.project.slug},
        "plan": {
            "id": str(plan.pk),
            "number": plan.number,
            "reason": plan.reason,
            "criteria": plan.criteria,
            "subgroup_columns": plan.subgroup_columns,
            **({"terms": plan.terms} if plan.terms else {}),
            "written_by": str(plan.written_by_id),
            "written_at": _moment(plan.written_at),
        },
        "champion": _champion(report),
        "spec": whole_numbers_that_fit(report.spec),
        "cost_unit": report.cost_unit,
        "verdict": report.verdict,
        "result_digest": report.result_digest,
    }


def _version(version: ModelVersion) -> Json:
    data = version.data
    return {
        "id": str(version.pk),
        "model": version.model.name,
        "number": version.number,
        "manifest_digest": version.manifest_digest,
        "data_sha256": data.parquet_sha256 if data else None,
    }


def _champion(report: ValidationReport) -> Json | None:
    if report.champion is None:
        return None
    seen = champion_saw_other_rows(report)
    return _version(report.champion) | {"saw_other_rows": seen}


def _look(report: ValidationReport) -> Json | None:
    if report.evaluated_on != Rows.SEALED:
        return None
    return {"number": report.look.number, "allowed": report.look.allowed}


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def whole_numbers_that_fit(value: Any) -> Any:
    """Give back as fractions what the database made whole: 1e+17 comes as an integer.

    Source:
        RFC 8785, section 3.2.2.3: numbers are IEEE 754 doubles.
    """
    match value:
        case dict():
            return {key: whole_numbers_that_fit(one) for key, one in value.items()}
        case list():
            return [whole_numbers_that_fit(one) for one in value]
        case int() if abs(value) > _LARGEST_WHOLE:
            return float(value)
    return value


@dataclass(frozen=True)
class Told:
    """A document as the functions of `reading` take it.

    Attributes:
        digest: of the document.
        head: the document.
        result: what the engine measured.
    """

    digest: str
    head: Json
    result: Json

    @property
    def spec(self) -> Json:
        """What the engine was told."""
        spec: Json = self.head["spec"]
        return spec

    @property
    def cost_unit(self) -> str:
        """The unit of every cost; empty when no objective was stated."""
        return str(self.head["cost_unit"])

    @property
    def verdict(self) -> str:
        """A value of `Verdict`."""
        return str(self.head["verdict"])

    @property
    def evaluated_on(self) -> str:
        """A value of `Rows`."""
        return str(self.head["report"]["evaluated_on"])

    @property
    def title(self) -> str:
        """The model version that was measured."""
        version = self.head["version"]
        return f"{version['model']}, version {version['number']}"

    @property
    def report_title(self) -> str:
        """The report beside its version."""
        return f"Validation report {self.head['report']['number']}"


def told(document: Json) -> Told:
    """Read a document of `report_document`."""
    return Told(document["digest"], document["document"], document["result"])
