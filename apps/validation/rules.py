"""Who may say what a model must do, have it measured, and challenge it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import (
    ALLOWED,
    Decision,
    Denied,
    NotNow,
    permitted,
    project_roles_with,
)
from apps.access.permissions import Permission
from apps.jobs.models import JobStatus
from apps.projects.queries import active_members
from apps.projects.rules import permitted_with, sees
from apps.registry.models import ModelVersion, RegisteredModel, VersionState
from apps.registry.rules import not_deleted
from apps.validation import findings, queries
from apps.validation.evaluation_inputs import missing_files
from apps.validation.makers import part_in_making
from apps.validation.models import Finding, FindingState, Rows, Severity

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.validation.models import ValidationReport

# What is out of service comes back through a new report and a new request.
_OPEN_STATES = (
    VersionState.DRAFT,
    VersionState.VALIDATED,
    VersionState.SUSPENDED,
    VersionState.STALE,
)


def can_write_plan(user: User, model: RegisteredModel) -> Decision:
    """Say whether `user` may write acceptance criteria for `model`."""
    decision = permitted_with(user, Permission.PLAN_WRITE, model)
    decision = decision and not_deleted(model)
    return decision and _question_is_known(queries.newest_version(model))


def _question_is_known(version: ModelVersion | None) -> Decision:
    if version is None:
        return NotNow("This model has no version yet; register one first.")
    if version.quarantine:
        return NotNow(version.quarantine)
    if version.unfit_reason:
        return NotNow(f"The portal cannot evaluate {version}. {version.unfit_reason}")
    if queries.question_of(version) is None:
        return NotNow(
            "The signature of this model does not say what it predicts, so nothing can "
            "be required of it. Register the run of a training job instead."
        )
    return ALLOWED


def can_request_report(
    user: User, version: ModelVersion, evaluated_on: str = Rows.HELD_OUT
) -> Decision:
    """Say whether `user` may have `version` measured now, on rows of this kind."""
    decision = permitted_with(user, Permission.REPORT_REQUEST, version.model)
    decision = decision and not_deleted(version)
    decision = decision and _report_is_possible(version, evaluated_on)
    if decision and evaluated_on == Rows.SEALED:
        return _look_is_left(version)
    return decision


def _look_is_left(version: ModelVersion) -> Decision:
    standing = queries.sealed_standing(version)
    if standing is None:
        return NotNow("The data of this version has no sealed rows to be measured on.")
    if standing.taken >= standing.allowed:
        return NotNow(
            f"{standing.words} The budget is used up; the program manager can raise it "
            "and say why."
        )
    return ALLOWED


def _report_is_possible(version: ModelVersion, evaluated_on: str) -> Decision:
    if version.state not in _OPEN_STATES:
        state = version.get_state_display().lower()
        return NotNow(f"This version is {state}; its evidence no longer changes.")
    if version.quarantine:
        return NotNow(version.quarantine)
    if queries.latest_plan(version.model) is None:
        return NotNow(
            "Write a validation plan first: criteria stand before results are seen."
        )
    if version.validation_reports.under_way().exists():
        return NotNow("A report is being computed already; wait for it or cancel it.")
    if version.unfit_reason:
        return _question_is_known(version)
    if missing := missing_files(version, evaluated_on):
        return NotNow(
            f"The run of this version left no {' and no '.join(missing)}, so there is "
            "nothing to measure. Register the run of a training job instead."
        )
    return _question_is_known(version)


def can_download_report(user: User, report: ValidationReport) -> Decision:
    """Say whether `user` may take away what a report says: all who see it may."""
    decision = sees(user, report.version.model)
    if decision and report.status != JobStatus.SUCCEEDED:
        return NotNow("This report has no result yet, so there is nothing to take.")
    return decision


def can_raise_finding(user: User, version: ModelVersion) -> Decision:
    """Say whether `user` may hold something against `version`, or open it again."""
    decision = permitted_with(user, Permission.FINDING_RAISE, version.model)
    decision = decision and not_deleted(version)
    return decision and _did_not_build(user, version)


def can_answer_finding(user: User, finding: Finding) -> Decision:
    """Say whether `user` may answer for what was found."""
    if finding.is_settled:
        return NotNow(_settled(finding))
    if finding.owner_id != user.pk:
        return Denied(f"Only {finding.owner.full_name} answers this finding.")
    return sees(user, finding.version.model)


def can_hand_over_finding(user: User, finding: Finding) -> Decision:
    """Say whether `user` may have somebody else answer a finding."""
    if finding.state != FindingState.OPEN:
        return NotNow("Only an open finding is handed over.")
    model, able = (
        finding.version.model,
        (
            Permission.FINDING_RAISE,
            Permission.FINDING_ACCEPT,
        ),
    )
    if not any(permitted_with(user, permission, model) for permission in able):
        return Denied(
            "Only a validator or a program manager of this project can do this."
        )
    if finding.owner_id == user.pk:
        return Denied("You answer for this finding, so somebody else must do this.")
    return _did_not_build(user, finding.version)


def can_close_finding(user: User, finding: Finding) -> Decision:
    """Say whether `user` may say that a finding is dealt with."""
    if finding.is_settled:
        return NotNow(_settled(finding))
    decision = permitted_with(user, Permission.FINDING_RAISE, finding.version.model)
    if decision and finding.owner_id == user.pk:
        return Denied("You answer for this finding, so somebody else must close it.")
    return decision and _did_not_build(user, finding.version)


def can_accept_finding(user: User, finding: Finding) -> Decision:
    """Say whether `user` may take on the risk of a finding."""
    if finding.is_settled:
        return NotNow(_settled(finding))
    decision = permitted_with(user, Permission.FINDING_ACCEPT, finding.version.model)
    if decision and finding.severity == Severity.BLOCKING:
        return NotNow("The risk of a blocking finding cannot be accepted.")
    return decision and _did_not_build(user, finding.version)


def can_reopen_finding(user: User, finding: Finding) -> Decision:
    """Say whether `user` may open a finding again."""
    if finding.state == FindingState.OPEN:
        return NotNow("This finding is open.")
    return can_raise_finding(user, finding.version)


def can_remind_of_finding(user: User, finding: Finding) -> Decision:
    """Say whether `user` may remind people of a finding: workers only."""
    return permitted(user, Permission.JOB_RUN, None)


def closers(finding: Finding) -> list[User]:
    """List the members who may close a finding, by name."""
    members = active_members(
        finding.project, role__in=project_roles_with(Permission.FINDING_RAISE)
    )
    return [person for person in members if can_close_finding(person, finding)]


def no_blocking_finding(version: ModelVersion) -> Decision:
    """Say whether nothing that blocks is held against `version` or its files."""
    found = findings.blocking_findings_of(version).first()
    if found is None:
        return ALLOWED
    way = "It must be answered and closed first."
    if found.version_id == version.pk:
        return NotNow(
            f"Finding {found.number} blocks the approval: {found.title}. {way}"
        )
    if found.version.model_id == version.model_id:
        where = f"version {found.version.number}, which has the same files"
        return NotNow(f"Finding {found.number} on {where}, blocks the approval. {way}")
    # Of another model, which the reader may not see.
    return NotNow(
        "A finding on another model with the same files blocks the approval. " + way
    )


def _settled(finding: Finding) -> str:
    return f"This finding is settled: {finding.get_state_display().lower()}."


def _did_not_build(user: User, version: ModelVersion) -> Decision:
    did = part_in_making(version, user)
    if not did:
        return ALLOWED
    return Denied(f"You {did}, so somebody else must do this.")
