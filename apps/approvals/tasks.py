"""Approvals watched by the clock."""

from typing import Any

from apps.accounts.actions import service_account
from apps.approvals import actions, queries
from apps.approvals.evidence import Recheck
from apps.core.queue import task


@task("approvals.review")
def review_approvals(**_: Any) -> None:
    """Look at every request whose time or evidence can change where it stands."""
    worker = service_account()
    for approval in queries.to_review():
        actions.review_approval(approval=approval, by=worker)


@task("approvals.read_files")
def read_approved_files(**_: Any) -> None:
    """Read every byte that an approval rests on, and end those that rest on others."""
    worker = service_account()
    for approval in queries.to_review():
        actions.review_approval(approval=approval, by=worker, recheck=Recheck.ALL)
