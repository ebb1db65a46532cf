"""Everything that changes an approval request; the last signature moves the alias."""

from apps.approvals.actions.clock import meet_condition, review_approval
from apps.approvals.actions.delegations import delegate_signing, revoke_delegation
from apps.approvals.actions.discussion import withdraw_comment, write_comment
from apps.approvals.actions.emergencies import (
    confirm_emergency,
    declare_emergency,
    end_emergency,
    remind_of_emergency,
    review_emergency,
)
from apps.approvals.actions.policies import enact_policy, write_policy
from apps.approvals.actions.practices import state_practice
from apps.approvals.actions.reminders import remind_people
from apps.approvals.actions.requests import request_approval, withdraw_request
from apps.approvals.actions.signing import (
    reject,
    request_changes,
    revoke_approval,
    sign_off,
    withdraw_sign_off,
)
from apps.approvals.actions.waivers import (
    grant_waiver,
    remind_of_waiver,
    report_waiver,
    revoke_waiver,
)

__all__ = [
    "confirm_emergency",
    "declare_emergency",
    "delegate_signing",
    "enact_policy",
    "end_emergency",
    "grant_waiver",
    "meet_condition",
    "reject",
    "remind_of_emergency",
    "remind_of_waiver",
    "remind_people",
    "report_waiver",
    "request_approval",
    "request_changes",
    "review_approval",
    "review_emergency",
    "revoke_approval",
    "revoke_delegation",
    "revoke_waiver",
    "sign_off",
    "state_practice",
    "withdraw_comment",
    "withdraw_request",
    "withdraw_sign_off",
    "write_comment",
    "write_policy",
]
