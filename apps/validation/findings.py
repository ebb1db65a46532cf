"""What is held against a model version, and what of it waits for somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Exists, F, OuterRef

from apps.access.checks import project_roles_with
from apps.access.permissions import Permission
from apps.audit.models import AuditEvent
from apps.audit.queries import with_names
from apps.projects.models import Membership
from apps.registry.queries import twins_of
from apps.validation.makers import MAKING, logging_to
from apps.validation.models import Finding, FindingState, Severity

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import User
    from apps.registry.models import ModelVersion

EVENTS_SHOWN = 50


def blocking_findings_of(version: ModelVersion) -> QuerySet[Finding]:
    """Unsettled findings with which `version` is not approved, oldest first.

    Those on the same files under another number or name count as well.
    """
    found = Finding.objects.filter(version__in=twins_of(version)).blocking()
    return found.select_related("version__model__project").order_by("pk")


def findings_of(version: ModelVersion) -> QuerySet[Finding]:
    """Findings on `version`, newest first, with the people of each."""
    return version.findings.select_related("owner", "raised_by").order_by("-pk")


def unsettled_findings(version: ModelVersion) -> list[Finding]:
    """List what is held against `version` and waits for somebody, worst first."""
    weight = list(Severity.values)
    found = version.findings.unsettled().select_related("owner").order_by("number")
    return sorted(found, key=lambda finding: weight.index(finding.severity))


def findings_with_a_day() -> QuerySet[Finding]:
    """Find what waits for somebody and has a day on which it falls due."""
    found = Finding.objects.unsettled().filter(due_on__isnull=False)
    people = ("owner", "raised_by")
    return found.select_related("version__model__project", *people).order_by("pk")


def to_answer(user: User) -> QuerySet[Finding]:
    """Find what waits for the answer of `user`, the first to fall due first."""
    return _waiting(user).filter(owner=user, state=FindingState.OPEN)


def to_close(user: User) -> QuerySet[Finding]:
    """Find answered findings that `user` may close, as `rules.can_close_finding` says.

    The same deeds bar a person here and there; here in the database, so that the
    number of findings costs one query.
    """
    raisers = Membership.objects.filter(
        user=user, role__in=project_roles_with(Permission.FINDING_RAISE)
    )
    found = _waiting(user).filter(
        state=FindingState.ANSWERED, version__model__project__memberships__in=raisers
    )
    for part in MAKING:
        found = found.exclude(**{f"version__{part.who}": user})
    names = "version__run_id", "version__logged_model_id", "version__created_at"
    logged = logging_to(*map(OuterRef, names)).filter(actor_id=user.pk)
    return found.exclude(owner=user).exclude(Exists(logged))


def _waiting(user: User) -> QuerySet[Finding]:
    joined = Finding.objects.visible_to(user).select_related(
        "version__model__project", "owner", "raised_by"
    )
    return joined.order_by(F("due_on").asc(nulls_last=True), "pk")


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
