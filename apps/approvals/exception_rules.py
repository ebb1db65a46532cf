"""Who may state how practices stand, waive them, and report on waivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.access.roles import ADMINISTRATOR
from apps.approvals import exception_queries
from apps.projects.models import Impact
from apps.projects.rules import permitted_with
from apps.registry.models import VersionState
from apps.registry.rules import not_deleted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from apps.accounts.models import User
    from apps.approvals.deeds import Deed
    from apps.approvals.models import Reported, Waiver
    from apps.projects.models import Project
    from apps.registry.models import ModelVersion


def can_state_practice(user: User, version: ModelVersion) -> Decision:
    """Say whether `user` may state how a version stands with a minimum practice.

    Also while it is reviewed or approved: what is no longer true must be sayable, and
    ends what was signed.
    """
    decision = permitted_with(user, Permission.PRACTICE_STATE, version.model)
    decision = decision and not_deleted(version)
    if decision and version.state == VersionState.REJECTED:
        return NotNow("This version was rejected; nothing is asked of it any more.")
    return decision


def can_grant_waiver(user: User, project: Project) -> Decision:
    """Say whether `user` may waive minimum practices for the use of `project`."""
    decision = _may_waive(user, project)
    if decision and (did := exception_queries.part_in_use(project, user)):
        return Denied(
            f"You {did} in this project, so another AI official must decide on waivers."
        )
    if decision and project.impact != Impact.HIGH:
        return NotNow(
            "Minimum practices bind high-impact uses only, and this one was not "
            "determined to be high-impact."
        )
    return decision


def can_revoke_waiver(user: User, waiver: Waiver) -> Decision:
    """Say whether `user` may end a waiver before its day."""
    if waiver.standing != "active":
        return NotNow(f"This waiver is {waiver.standing} already.")
    return _may_waive(user, waiver.project)


def can_report_waiver(user: User, waiver: Waiver, what: Reported) -> Decision:
    """Say whether `user` may record that `what` was reported to OMB."""
    due = next((duty for duty in waiver.duties if duty.what == what), None)
    if due is None:
        return NotNow("This waiver was not revoked, so there is nothing to report.")
    if due.report:
        return NotNow(f"{due.label} this waiver was reported already.")
    return _may_waive(user, waiver.project)


def independent(
    user: User, deeds: Iterable[Deed], who: str = "You", *, meaning: str = ""
) -> Decision:
    """Say whether `user` took no part in what is to be signed, whatever their role.

    Args:
        user: who would sign.
        deeds: that bar a person.
        who: how the sentence begins.
        meaning: of the signature; some deeds spare one.
    """
    if ADMINISTRATOR.slug in user.agency_roles:
        return Denied("An administrator manages accounts and can never sign.")
    done = [
        f"{deed.did} on {deed.at.day} {deed.at:%B %Y}"
        for deed in deeds
        if deed.user_id == user.pk and (not deed.spares or deed.spares != meaning)
    ]
    if not done:
        return ALLOWED
    *others, last = done
    listed = f"{', '.join(others)} and {last}" if others else last
    return Denied(f"{who} {listed}, so somebody else must sign.")


def can_remind_of_waiver(user: User, waiver: Waiver) -> Decision:
    """Say whether `user` may tell people of a waiver by the clock: workers only."""
    return permitted(user, Permission.JOB_RUN, waiver.project)


def _may_waive(user: User, project: Project) -> Decision:
    if ADMINISTRATOR.slug in user.agency_roles:
        return Denied("An administrator manages accounts and can never sign.")
    return permitted(user, Permission.WAIVER_SIGN, project)
