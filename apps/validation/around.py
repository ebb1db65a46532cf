"""What stands around a finished report and may change: names, purpose, findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apps.registry import queries as registry_queries
from apps.registry.models import ModelCard
from apps.validation.findings import unsettled_findings

if TYPE_CHECKING:
    from datetime import datetime

    from apps.accounts.models import User
    from apps.validation.models import Finding, ValidationReport

UNSEEN_DATA = "a dataset that you cannot see"


@dataclass(frozen=True)
class Around:
    """As of one moment, for one reader; no digest covers it.

    Attributes:
        at: the moment.
        purpose: the intended use on the model card, else the mission of the project.
        data: the dataset version that the model learned from, where the reader
            may see it.
        findings: unsettled ones, worst first.
    """

    at: datetime
    project: str
    purpose: str
    requested_by: str
    written_by: str
    data: str
    findings: list[Finding] = field(default_factory=list)


def around(report: ValidationReport, *, viewer: User, at: datetime) -> Around:
    """Gather what stands around `report` for `viewer`."""
    card = ModelCard.objects.filter(version=report.version).first()
    project = report.project
    return Around(
        at=at,
        project=project.name,
        purpose=(card.intended_use if card else "") or project.mission,
        requested_by=report.requested_by.full_name,
        written_by=report.plan.written_by.full_name,
        data=_data(report, viewer),
        findings=unsettled_findings(report.version),
    )


def _data(report: ValidationReport, viewer: User) -> str:
    if not registry_queries.sees_data(report.version, viewer):
        return UNSEEN_DATA
    return str(report.version.data)
