"""Who may say what a model must do, and have it measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, NotNow
from apps.access.permissions import Permission
from apps.projects.rules import permitted_with
from apps.registry.models import ModelVersion, RegisteredModel, VersionState
from apps.validation import queries
from apps.validation.models import Rows

if TYPE_CHECKING:
    from apps.accounts.models import User

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
    return decision and _question_is_known(queries.newest_version(model))


def _question_is_known(version: ModelVersion) -> Decision:
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
    if queries.latest_plan(version.model) is None:
        return NotNow(
            "Write a validation plan first: criteria stand before results are seen."
        )
    if version.validation_reports.under_way().exists():
        return NotNow("A report is being computed already; wait for it or cancel it.")
    if missing := queries.missing_files(version, evaluated_on):
        return NotNow(
            f"The run of this version left no {' and no '.join(missing)}, so there is "
            "nothing to measure. Register the run of a training job instead."
        )
    return _question_is_known(version)
