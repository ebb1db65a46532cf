"""Everything that people are told about, one line per kind."""

from django.db import models

_GO_OUTSIDE = ("approval", "condition", "finding", "stage")


class NoticeKind(models.TextChoices):
    """Named `resource.what`, in the order of the alphabet."""

    APPROVAL_APPROVED = "approval.approved", "A version was approved"
    APPROVAL_EXPIRED = "approval.expired", "An approval expired"
    APPROVAL_EXPIRES_SOON = "approval.expires_soon", "An approval ends soon"
    APPROVAL_LAPSED = "approval.lapsed", "A request lapsed undecided"
    APPROVAL_REINSTATED = "approval.reinstated", "An approval stands again"
    APPROVAL_REJECTED = "approval.rejected", "A version was rejected"
    APPROVAL_REVOKED = "approval.revoked", "An approval was ended"
    APPROVAL_SENT_BACK = "approval.sent_back", "Changes were asked for"
    APPROVAL_STALE = "approval.stale", "An approval became stale"
    APPROVAL_SUSPENDED = "approval.suspended", "An approval was suspended"
    APPROVAL_TO_SIGN = "approval.to_sign", "A signature is needed"
    APPROVAL_WITHDRAWN = "approval.withdrawn", "A request was withdrawn"
    COMMENT_NAMES = "comment.names", "Somebody names you"
    COMMENT_WRITTEN = "comment.written", "A discussion goes on"
    CONDITION_ASSIGNED = "condition.assigned", "A condition is yours"
    CONDITION_DUE_SOON = "condition.due_soon", "A condition falls due soon"
    CONDITION_OVERDUE = "condition.overdue", "A condition is overdue"
    FINDING_ACCEPTED = "finding.accepted", "The risk of a finding was accepted"
    FINDING_ANSWERED = "finding.answered", "A finding was answered"
    FINDING_CLOSED = "finding.closed", "A finding was closed"
    FINDING_DUE_SOON = "finding.due_soon", "A finding falls due soon"
    FINDING_HANDED_OVER = "finding.handed_over", "A finding has another owner"
    FINDING_OVERDUE = "finding.overdue", "A finding is overdue"
    FINDING_RAISED = "finding.raised", "A finding is yours to answer"
    FINDING_REOPENED = "finding.reopened", "A finding is open again"
    STAGE_DUE_SOON = "stage.due_soon", "A signature falls due soon"
    STAGE_OVERDUE = "stage.overdue", "A signature is overdue"
    WEBHOOK_FAILED = "webhook.failed", "Another system did not take a message"

    @property
    def goes_outside(self) -> bool:
        """Say whether webhooks are told: not of what people say to each other."""
        return self.value.partition(".")[0] in _GO_OUTSIDE
