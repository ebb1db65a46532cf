"""What is held against a model version, and what of it waits for somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.validation.models import Finding, Severity

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.registry.models import ModelVersion


def blocking_findings_of(version: ModelVersion) -> QuerySet[Finding]:
    """Unsettled findings with which `version` is not approved, oldest first."""
    return version.findings.blocking()


def findings_of(version: ModelVersion) -> QuerySet[Finding]:
    """Findings on `version`, newest first, with the people of each."""
    return version.findings.select_related("owner", "raised_by").order_by("-pk")


def unsettled_findings(version: ModelVersion) -> list[Finding]:
    """List what is held against `version` and waits for somebody, worst first."""
    weight = list(Severity.values)
    found = version.findings.unsettled().select_related("owner").order_by("number")
    return sorted(found, key=lambda finding: weight.index(finding.severity))
