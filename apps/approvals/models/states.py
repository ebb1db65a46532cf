"""Where a request can stand, and how it gets from one state to the next."""

from django.db import models


class ApprovalStatus(models.TextChoices):
    """Where a request stands."""

    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    LAPSED = "lapsed", "Lapsed"
    SUSPENDED = "suspended", "Suspended"
    STALE = "stale", "Stale"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"


_S = ApprovalStatus
# An approval ends by one of these; a new request begins the next one.
_ENDINGS = frozenset({_S.STALE, _S.EXPIRED, _S.REVOKED})
APPROVAL_TRANSITIONS: dict[ApprovalStatus, frozenset[ApprovalStatus]] = {
    _S.IN_REVIEW: frozenset(
        {
            *(_S.APPROVED, _S.CHANGES_REQUESTED, _S.REJECTED),
            *(_S.WITHDRAWN, _S.LAPSED),
        }
    ),
    _S.APPROVED: _ENDINGS | {_S.SUSPENDED},
    _S.CHANGES_REQUESTED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.WITHDRAWN: frozenset(),
    _S.LAPSED: frozenset(),
    # A condition that was met too late gives the approval back.
    _S.SUSPENDED: _ENDINGS | {_S.APPROVED},
    _S.STALE: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.REVOKED: frozenset(),
}


# While a request stands there, its evidence must be what was submitted.
SEALED = (_S.IN_REVIEW, _S.APPROVED, _S.SUSPENDED, _S.REJECTED)


# It was approved, whatever became of it since.
ONCE_APPROVED = (_S.APPROVED, _S.SUSPENDED, _S.STALE, _S.EXPIRED, _S.REVOKED)


class SignOffDecision(models.TextChoices):
    """What a signature says."""

    APPROVE = "approve", "Signed off"
    APPROVE_WITH_CONDITIONS = "approve_with_conditions", "Signed off with conditions"
    REQUEST_CHANGES = "request_changes", "Changes requested"
    REJECT = "reject", "Rejected"


# Decisions by which a stage is complete.
CONSENTING = (SignOffDecision.APPROVE, SignOffDecision.APPROVE_WITH_CONDITIONS)
# Decisions that need a reason in words.
REASONED = (
    SignOffDecision.APPROVE_WITH_CONDITIONS,
    SignOffDecision.REQUEST_CHANGES,
    SignOffDecision.REJECT,
)
