"""Approvals watched by the clock."""

from typing import Any

from apps.accounts.actions import service_account
from apps.approvals import actions, emergency_queries, exception_queries, queries
from apps.approvals.evidence import Recheck
from apps.core.queue import task


@task("approvals.review")
def review_approvals(**_: Any) -> None:
    """Look at every request whose time or evidence can change where it stands.

    Those that stay are looked at once more, for what their people must know.
    """
    worker = service_account()
    for approval in queries.to_review():
        actions.review_approval(approval=approval, by=worker)
    for approval in queries.to_review():
        actions.remind_people(approval=approval, by=worker)
    for emergency in emergency_queries.to_review():
        actions.review_emergency(emergency=emergency, by=worker)
    for emergency in emergency_queries.to_review():
        actions.remind_of_emergency(emergency=emergency, by=worker)
    for waiver in exception_queries.to_remind():
        actions.remind_of_waiver(waiver=waiver, by=worker)


@task("approvals.read_files")
def read_approved_files(**_: Any) -> None:
    """Read every byte that an approval rests on, and end those that rest on others."""
    worker = service_account()
    for approval in queries.to_review():
        actions.review_approval(approval=approval, by=worker, recheck=Recheck.ALL)
    for emergency in emergency_queries.to_review():
        actions.review_emergency(emergency=emergency, by=worker, recheck=Recheck.ALL)
