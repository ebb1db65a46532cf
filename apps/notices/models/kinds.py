"""Everything that people are told about, one line per kind."""

from django.db import models

# Webhooks are told of these, not of what people say to each other.
_GO_OUTSIDE = ("approval", "condition", "emergency", "finding", "stage", "waiver")


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
    EMERGENCY_CONFIRMED = "emergency.confirmed", "An emergency was confirmed"
    EMERGENCY_DECLARED = "emergency.declared", "A version serves by emergency"
    EMERGENCY_LAPSES_SOON = "emergency.lapses_soon", "An emergency lapses soon"
    EMERGENCY_OVER = "emergency.over", "An emergency approval is over"
    EMERGENCY_TO_CONFIRM = "emergency.to_confirm", "A confirmation is needed"
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
    WAIVER_ENDED = "waiver.ended", "A waiver is over"
    WAIVER_ENDS_SOON = "waiver.ends_soon", "A waiver ends soon"
    WAIVER_GRANTED = "waiver.granted", "Minimum practices were waived"
    WAIVER_REPORT_DUE = "waiver.report_due", "A waiver is to be reported"
    WAIVER_REPORT_OVERDUE = "waiver.report_overdue", "The report on a waiver is late"
    WAIVER_REVOKED = "waiver.revoked", "A waiver was revoked"
    WEBHOOK_FAILED = "webhook.failed", "Another system did not take a message"

    @property
    def goes_outside(self) -> bool:
        """Say whether webhooks are told: not of what people say to each other."""
        return self.value.partition(".")[0] in _GO_OUTSIDE
