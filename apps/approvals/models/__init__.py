"""Approval requests, what they collect, and what lets people sign."""

from apps.approvals.models.conditions import Condition, NewCondition
from apps.approvals.models.delegations import NEVER_SIGNING, Delegation
from apps.approvals.models.discussion import Comment
from apps.approvals.models.emergencies import (
    EMERGENCY_TRANSITIONS,
    EmergencyApproval,
    EmergencyMeaning,
    EmergencySignature,
    EmergencyStatus,
)
from apps.approvals.models.policies import PolicyEnactment, PolicyVersion
from apps.approvals.models.practices import (
    SETTLED,
    PracticeState,
    PracticeStatement,
)
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
from apps.approvals.models.waivers import (
    ENDING_DAYS,
    MOST_WAIVER_DAYS,
    REPORT_DAYS,
    Ground,
    Reported,
    SignedExceptionally,
    Waiver,
    WaiverReport,
    WaiverRevocation,
    forget_exceptional_signer,
)

__all__ = [
    "APPROVAL_TRANSITIONS",
    "CONSENTING",
    "EMERGENCY_TRANSITIONS",
    "ENDING_DAYS",
    "MAX_COMMENT_CHARACTERS",
    "MOST_WAIVER_DAYS",
    "NEVER_SIGNING",
    "ONCE_APPROVED",
    "REASONED",
    "REPORT_DAYS",
    "SEALED",
    "SETTLED",
    "ApprovalRequest",
    "ApprovalStatus",
    "Comment",
    "Condition",
    "Delegation",
    "EmergencyApproval",
    "EmergencyMeaning",
    "EmergencySignature",
    "EmergencyStatus",
    "Ground",
    "NewCondition",
    "PolicyEnactment",
    "PolicyVersion",
    "PracticeState",
    "PracticeStatement",
    "Reported",
    "SignOff",
    "SignOffDecision",
    "SignOffWithdrawal",
    "SignedExceptionally",
    "Stage",
    "Waiver",
    "WaiverReport",
    "WaiverRevocation",
    "forget_exceptional_signer",
    "forget_signer",
]
