"""Everything that changes an approval request; the last signature moves the alias."""

from apps.approvals.actions.clock import meet_condition, review_approval
from apps.approvals.actions.delegations import delegate_signing, revoke_delegation
from apps.approvals.actions.discussion import withdraw_comment, write_comment
from apps.approvals.actions.policies import enact_policy, write_policy
from apps.approvals.actions.reminders import remind_people
from apps.approvals.actions.requests import request_approval, withdraw_request
from apps.approvals.actions.signing import (
    reject,
    request_changes,
    revoke_approval,
    sign_off,
    withdraw_sign_off,
)

__all__ = [
    "delegate_signing",
    "enact_policy",
    "meet_condition",
    "reject",
    "remind_people",
    "request_approval",
    "request_changes",
    "review_approval",
    "revoke_approval",
    "revoke_delegation",
    "sign_off",
    "withdraw_comment",
    "withdraw_request",
    "withdraw_sign_off",
    "write_comment",
    "write_policy",
]
