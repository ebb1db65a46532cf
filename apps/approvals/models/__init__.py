"""Approval requests, what they collect, and what lets people sign."""

from apps.approvals.models.conditions import Condition, NewCondition
from apps.approvals.models.delegations import NEVER_SIGNING, Delegation
from apps.approvals.models.discussion import Comment
from apps.approvals.models.policies import PolicyEnactment, PolicyVersion
from apps.approvals.models.requests import (
    MAX_COMMENT_CHARACTERS,
    ApprovalRequest,
    Stage,
)
from apps.approvals.models.sign_offs import SignOff, SignOffWithdrawal, forget_signer
from apps.approvals.models.states import (
    APPROVAL_TRANSITIONS,
    CONSENTING,
    ONCE_APPROVED,
    REASONED,
    SEALED,
    ApprovalStatus,
    SignOffDecision,
)

__all__ = [
    "APPROVAL_TRANSITIONS",
    "CONSENTING",
    "MAX_COMMENT_CHARACTERS",
    "NEVER_SIGNING",
    "ONCE_APPROVED",
    "REASONED",
    "SEALED",
    "ApprovalRequest",
    "ApprovalStatus",
    "Comment",
    "Condition",
    "Delegation",
    "NewCondition",
    "PolicyEnactment",
    "PolicyVersion",
    "SignOff",
    "SignOffDecision",
    "SignOffWithdrawal",
    "Stage",
    "forget_signer",
]
