"""What is held against a model version, and what of it waits for somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count

from apps.audit.models import AuditEvent
from apps.audit.queries import with_names
from apps.validation.models import Finding, FindingState, Severity

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import User
    from apps.registry.models import ModelVersion

EVENTS_SHOWN = 50


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


def counts_of(version: ModelVersion) -> list[tuple[str, dict[str, int]]]:
    """Count the findings on `version`: for each severity that occurs, worst first.

    Returns:
        The title of the severity with the count of each state, by its title.
    """
    rows = version.findings.values_list("severity", "state").annotate(Count("pk"))
    found = {(severity, state): number for severity, state, number in rows}
    return [
        (
            severity.label,
            {state.label: found.get((severity, state), 0) for state in FindingState},
        )
        for severity in Severity
        if any(weight == severity for weight, _ in found)
    ]


def history_of(finding: Finding, user: User) -> list[AuditEvent]:
    """List what happened to `finding`, newest first, as far as `user` may read it.

    Answers that were replaced by later ones stand here.
    """
    visible = AuditEvent.objects.visible_to(user).filter(
        target_type=Finding._meta.label_lower, target_id=str(finding.pk)
    )
    return with_names(visible.order_by("-event_id")[:EVENTS_SHOWN])
