"""What pages read of the findings on a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count

from apps.audit.models import AuditEvent
from apps.audit.queries import with_names
from apps.validation.models import Finding, FindingState, Severity

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.registry.models import ModelVersion

EVENTS_SHOWN = 50


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
