"""Approval requests, what they collect, and what lets people sign."""

from apps.approvals.models.conditions import Condition, NewCondition
from apps.approvals.models.delegations import NEVER_SIGNING, Delegation
from apps.approvals.models.discussion import Comment
from apps.approvals.models.emergencies import (
    CONFIRMATIONS,
    CONFIRMED_DAYS,
    EMERGENCY_TRANSITIONS,
    MOST_HOURS,
    QUIET_DAYS,
    TERMS,
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
    "CONFIRMATIONS",
    "CONFIRMED_DAYS",
    "CONSENTING",
    "EMERGENCY_TRANSITIONS",
    "ENDING_DAYS",
    "MAX_COMMENT_CHARACTERS",
    "MOST_HOURS",
    "MOST_WAIVER_DAYS",
    "NEVER_SIGNING",
    "ONCE_APPROVED",
    "QUIET_DAYS",
    "REASONED",
    "REPORT_DAYS",
    "SEALED",
    "SETTLED",
    "TERMS",
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
