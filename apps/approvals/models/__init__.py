"""Approval requests, what they collect, and what lets people sign."""

from apps.approvals.models.conditions import Condition, NewCondition
from apps.approvals.models.delegations import Delegation
from apps.approvals.models.requests import (
    MAX_COMMENT_CHARACTERS,
    ApprovalRequest,
    Stage,
)
from apps.approvals.models.sign_offs import SignOff, SignOffWithdrawal, forget_signer
from apps.approvals.models.states import (
    APPROVAL_TRANSITIONS,
    CONSENTING,
    REASONED,
    ApprovalStatus,
    RequestKind,
    SignOffDecision,
)
from apps.approvals.models.waivers import Waiver, WaiverGround

__all__ = [
    "APPROVAL_TRANSITIONS",
    "CONSENTING",
    "MAX_COMMENT_CHARACTERS",
    "REASONED",
    "ApprovalRequest",
    "ApprovalStatus",
    "Condition",
    "Delegation",
    "NewCondition",
    "RequestKind",
    "SignOff",
    "SignOffDecision",
    "SignOffWithdrawal",
    "Stage",
    "Waiver",
    "WaiverGround",
    "forget_signer",
]
