"""What the system records, one line per kind of event.

An event type is named `resource.past_tense`; its label completes the sentence
*actor, label, target*.
"""

from django.db import models

OUTCOMES = ("success", "failure", "denied", "error")


class EventType(models.TextChoices):
    """Every kind of audit event, grouped by resource."""

    ACCESS_FAILED = "access.failed", "met an error as"
    ACCESS_REFUSED = "access.refused", "was refused access as"

    ACCOUNT_CREATED = "account.created", "created the account of"
    ACCOUNT_DEACTIVATED = "account.deactivated", "deactivated the account of"
    ACCOUNT_EDITED = "account.edited", "edited the account of"
    ACCOUNT_ERASURE_REQUESTED = (
        "account.erasure_requested",
        "asked to erase who was",
    )
    ACCOUNT_ERASURE_WITHDRAWN = (
        "account.erasure_withdrawn",
        "withdrew the request to erase",
    )
    ACCOUNT_LOCKED_OUT = "account.locked_out", "tried too many passwords for"
    ACCOUNT_PASSWORD_CHANGED = "account.password_changed", "changed the password of"
    ACCOUNT_ROLES_SET = "account.roles_set", "set the agency roles of"
    ACCOUNT_SIGN_IN_FAILED = "account.sign_in_failed", "could not sign in as"
    ACCOUNT_SIGNED_IN = "account.signed_in", "signed in as"

    APPROVAL_APPROVED = "approval.approved", "gave the last signature to"
    APPROVAL_CONDITION_MET = "approval.condition_met", "met a condition of"
    APPROVAL_EXPIRED = "approval.expired", "ended at its day"
    APPROVAL_LAPSED = "approval.lapsed", "closed undecided"
    APPROVAL_REINSTATED = "approval.reinstated", "put back in force"
    APPROVAL_REJECTED = "approval.rejected", "rejected"
    APPROVAL_REQUESTED = "approval.requested", "asked for"
    APPROVAL_REVOKED = "approval.revoked", "ended the approval of"
    APPROVAL_SENT_BACK = "approval.sent_back", "asked for changes to"
    APPROVAL_SIGN_OFF_WITHDRAWN = (
        "approval.sign_off_withdrawn",
        "took back a signature under",
    )
    APPROVAL_SIGNED_OFF = "approval.signed_off", "signed off"
    APPROVAL_STALE = "approval.stale", "found changed evidence under"
    APPROVAL_SUSPENDED = "approval.suspended", "suspended"
    APPROVAL_WITHDRAWN = "approval.withdrawn", "withdrew"

    AUDIT_ARCHIVE_DOWNLOADED = "audit.archive_downloaded", "downloaded the archive of"
    AUDIT_EXPORT_CANCEL_REQUESTED = "audit.export_cancel_requested", "asked to cancel"
    AUDIT_EXPORT_CANCELLED = "audit.export_cancelled", "cancelled"
    AUDIT_EXPORT_DOWNLOADED = "audit.export_downloaded", "downloaded"
    AUDIT_EXPORT_FAILED = "audit.export_failed", "could not write"
    AUDIT_EXPORT_REMOVED = "audit.export_removed", "removed the file of"
    AUDIT_EXPORT_REQUESTED = "audit.export_requested", "asked for"
    AUDIT_EXPORT_REQUEUED = "audit.export_requeued", "queued again"
    AUDIT_EXPORT_STARTED = "audit.export_started", "began to write"
    AUDIT_EXPORTED = "audit.exported", "exported the audit trail as"
    AUDIT_FLAW_ACCEPTED = "audit.flaw_accepted", "accepted as it lies"
    AUDIT_HEARTBEAT = "audit.heartbeat", "said that the portal is alive as"
    AUDIT_HISTORY_GAP = "audit.history_gap", "accepted the loss of events after"
    AUDIT_HOLD_LIFTED = "audit.hold_lifted", "lifted"
    AUDIT_HOLD_PLACED = "audit.hold_placed", "placed"
    AUDIT_KEY_ROTATED = "audit.key_rotated", "announced a new signing key after"
    AUDIT_PRUNE_APPROVED = "audit.prune_approved", "agreed to prune"
    AUDIT_PRUNE_REQUESTED = "audit.prune_requested", "asked to prune"
    AUDIT_PRUNE_WITHDRAWN = "audit.prune_withdrawn", "stopped the pruning of"
    AUDIT_REDACTED = "audit.redacted", "erased the personal data of"
    AUDIT_SEGMENT_ARCHIVED = "audit.segment_archived", "archived"
    AUDIT_SEGMENT_PRUNED = "audit.segment_pruned", "pruned"
    AUDIT_STREAM_MOVED = "audit.stream_moved", "moved the stream to"
    AUDIT_STREAMED = "audit.streamed", "began to pull the audit trail as"
    AUDIT_VIEWED = "audit.viewed", "looked at the audit trail as"

    CODE_CANCEL_REQUESTED = "code.cancel_requested", "asked to cancel"
    CODE_CANCELLED = "code.cancelled", "cancelled"
    CODE_FAILED = "code.failed", "could not finish"
    CODE_FINISHED = "code.finished", "finished"
    CODE_LAUNCHED = "code.launched", "launched"
    CODE_REQUEUED = "code.requeued", "queued again"
    CODE_STARTED = "code.started", "started"

    COMMENT_WITHDRAWN = "comment.withdrawn", "withdrew a comment on"
    COMMENT_WRITTEN = "comment.written", "wrote a comment on"

    DATASET_CONTRACT_SAVED = "dataset.contract_saved", "saved"
    DATASET_CREATED = "dataset.created", "created dataset"
    DATASET_DATASHEET_WRITTEN = "dataset.datasheet_written", "wrote"
    DATASET_DIFF_CANCEL_REQUESTED = (
        "dataset.diff_cancel_requested",
        "asked to cancel the comparison",
    )
    DATASET_DIFF_CANCELLED = "dataset.diff_cancelled", "cancelled the comparison"
    DATASET_DIFF_FAILED = "dataset.diff_failed", "could not compare"
    DATASET_DIFF_READY = "dataset.diff_ready", "finished comparing"
    DATASET_DIFF_REQUESTED = "dataset.diff_requested", "asked to compare"
    DATASET_DIFF_REQUEUED = "dataset.diff_requeued", "queued again the comparison"
    DATASET_DIFF_STARTED = "dataset.diff_started", "began to compare"
    DATASET_DOWNLOADED = "dataset.downloaded", "downloaded"
    DATASET_EDITED = "dataset.edited", "edited dataset"
    DATASET_GRANT_REVOKED = "dataset.grant_revoked", "withdrew access to"
    DATASET_GRANTED = "dataset.granted", "gave access to"
    DATASET_HINT_DECIDED = "dataset.hint_decided", "decided whether personal data is in"
    DATASET_OPENED = "dataset.opened", "opened to all members"
    DATASET_RESTRICTED = "dataset.restricted", "restricted"
    DATASET_VERSION_CANCEL_REQUESTED = (
        "dataset.version_cancel_requested",
        "asked to cancel reading of",
    )
    DATASET_VERSION_CANCELLED = "dataset.version_cancelled", "cancelled reading of"
    DATASET_VERSION_FAILED = "dataset.version_failed", "could not read"
    DATASET_VERSION_FINGERPRINTED = (
        "dataset.version_fingerprinted",
        "computed the fingerprint of",
    )
    DATASET_VERSION_IMPORT_REQUESTED = (
        "dataset.version_import_requested",
        "asked to import",
    )
    DATASET_VERSION_IMPORTED = "dataset.version_imported", "brought in the file of"
    DATASET_VERSION_READY = "dataset.version_ready", "finished reading"
    DATASET_VERSION_REQUEUED = "dataset.version_requeued", "queued again"
    DATASET_VERSION_STARTED = "dataset.version_started", "began to read"
    DATASET_VERSION_UPLOADED = "dataset.version_uploaded", "uploaded"

    DELEGATION_GIVEN = "delegation.given", "let somebody sign in their place in"
    DELEGATION_REVOKED = "delegation.revoked", "ended signing in somebody's place in"

    EMERGENCY_CONFIRMATION_GIVEN = (
        "emergency.confirmation_given",
        "signed a confirmation of",
    )
    EMERGENCY_CONFIRMED = "emergency.confirmed", "gave the last confirmation of"
    EMERGENCY_DECLARED = "emergency.declared", "gave, without the ordinary signatures,"
    EMERGENCY_ENDED = "emergency.ended", "ended"
    EMERGENCY_EXPIRED = "emergency.expired", "ended at its hour"
    EMERGENCY_LAPSED = "emergency.lapsed", "closed unconfirmed"
    EMERGENCY_STALE = "emergency.stale", "found changed evidence under"

    EXPERIMENT_CREATED = "experiment.created", "created experiment"
    EXPERIMENT_DELETED = "experiment.deleted", "put aside experiment"
    EXPERIMENT_RENAMED = "experiment.renamed", "renamed experiment"
    EXPERIMENT_RESTORED = "experiment.restored", "brought back experiment"
    EXPERIMENT_TAG_DELETED = "experiment.tag_deleted", "took a tag off experiment"
    EXPERIMENT_TAG_SET = "experiment.tag_set", "tagged experiment"

    FINDING_ACCEPTED = "finding.accepted", "accepted the risk of"
    FINDING_ANSWERED = "finding.answered", "answered"
    FINDING_CLOSED = "finding.closed", "closed"
    FINDING_HANDED_OVER = "finding.handed_over", "gave another owner to"
    FINDING_RAISED = "finding.raised", "raised"
    FINDING_REOPENED = "finding.reopened", "opened again"

    IMPORT_DOWNLOADED = "import.downloaded", "downloaded the report of"
    IMPORT_ENDED = "import.ended", "ended a pass of"
    IMPORT_STARTED = "import.started", "began a pass of"
    LOGGED_MODEL_CREATED = "logged_model.created", "began logging model"
    LOGGED_MODEL_DELETED = "logged_model.deleted", "put aside logged model"
    LOGGED_MODEL_FILE_DELETED = "logged_model.file_deleted", "deleted a file of"
    LOGGED_MODEL_FILE_DOWNLOADED = (
        "logged_model.file_downloaded",
        "downloaded a file of",
    )
    LOGGED_MODEL_FILE_LOGGED = "logged_model.file_logged", "logged a file of"
    LOGGED_MODEL_FILE_PREVIEWED = "logged_model.file_previewed", "looked into a file of"
    LOGGED_MODEL_FINISHED = "logged_model.finished", "finished logging model"
    LOGGED_MODEL_PARAMETERS_ADDED = (
        "logged_model.parameters_added",
        "added parameters to",
    )
    LOGGED_MODEL_TAG_DELETED = "logged_model.tag_deleted", "took a tag off"
    LOGGED_MODEL_TAGS_SET = "logged_model.tags_set", "tagged"

    MEMBER_ADDED = "member.added", "added a member to"
    MEMBER_REMOVED = "member.removed", "removed a member from"
    MEMBER_ROLE_CHANGED = "member.role_changed", "changed a member's role in"

    MODEL_ALIAS_DELETED = "model.alias_deleted", "took an alias off"
    MODEL_ALIAS_MOVED = "model.alias_moved", "moved an alias of"
    MODEL_CARD_EDITED = "model.card_edited", "edited the card of"
    MODEL_DELETED = "model.deleted", "put aside model"
    MODEL_DESCRIBED = "model.described", "described model"
    MODEL_DOWNLOADED = "model.downloaded", "downloaded a file of"
    MODEL_GRANT_REVOKED = "model.grant_revoked", "withdrew access to"
    MODEL_GRANTED = "model.granted", "gave access to"
    MODEL_OPENED = "model.opened", "opened to all members"
    MODEL_REGISTERED = "model.registered", "registered model"
    MODEL_RENAMED = "model.renamed", "renamed model"
    MODEL_RESTRICTED = "model.restricted", "restricted"
    MODEL_STAGE_MOVED = "model.stage_moved", "moved the stage of"
    MODEL_TAG_DELETED = "model.tag_deleted", "took a tag off"
    MODEL_TAG_SET = "model.tag_set", "tagged"
    MODEL_VERSION_DELETED = "model.version_deleted", "put aside version"
    MODEL_VERSION_DESCRIBED = "model.version_described", "described version"
    MODEL_VERSION_MOVED = "model.version_moved", "changed the state of"
    MODEL_VERSION_REGISTERED = "model.version_registered", "registered"
    MODEL_VERSION_TAG_DELETED = "model.version_tag_deleted", "took a tag off"
    MODEL_VERSION_TAG_SET = "model.version_tag_set", "tagged"

    PLAN_WRITTEN = "plan.written", "wrote"

    POLICY_ENACTED = "policy.enacted", "put in force"
    POLICY_WRITTEN = "policy.written", "wrote"

    PRACTICE_STATED = "practice.stated", "stated a minimum practice of"

    PROJECT_CODE_POLICY_SET = (
        "project.code_policy_set",
        "decided about own code in",
    )
    PROJECT_CREATED = "project.created", "created project"
    PROJECT_EDITED = "project.edited", "edited project"
    PROJECT_IMPACT_DETERMINED = "project.impact_determined", "determined the impact of"
    PROJECT_OBJECTIVE_STATED = "project.objective_stated", "stated the objective of"

    REGENERATION_BUNDLE_DOWNLOADED = (
        "regeneration.bundle_downloaded",
        "downloaded what is needed to regenerate",
    )
    REGENERATION_CANCEL_REQUESTED = "regeneration.cancel_requested", "asked to cancel"
    REGENERATION_CANCELLED = "regeneration.cancelled", "cancelled"
    REGENERATION_CERTIFIED = "regeneration.certified", "certified the result of"
    REGENERATION_FAILED = "regeneration.failed", "could not finish"
    REGENERATION_REQUESTED = "regeneration.requested", "asked for"
    REGENERATION_REQUEUED = "regeneration.requeued", "queued again"
    REGENERATION_STARTED = "regeneration.started", "started"

    REPORT_CANCEL_REQUESTED = "report.cancel_requested", "asked to cancel"
    REPORT_CANCELLED = "report.cancelled", "cancelled"
    REPORT_DOWNLOADED = "report.downloaded", "downloaded"
    REPORT_FAILED = "report.failed", "could not compute"
    REPORT_FINISHED = "report.finished", "finished computing"
    REPORT_REQUESTED = "report.requested", "asked for"
    REPORT_REQUEUED = "report.requeued", "queued again"
    REPORT_STARTED = "report.started", "began to compute"

    RUN_ARTIFACT_DELETED = "run.artifact_deleted", "deleted an artifact of"
    RUN_ARTIFACT_DOWNLOADED = "run.artifact_downloaded", "downloaded an artifact of"
    RUN_ARTIFACT_LOGGED = "run.artifact_logged", "logged an artifact of"
    RUN_ARTIFACT_PREVIEWED = "run.artifact_previewed", "looked into an artifact of"
    RUN_COMPARISON_DOWNLOADED = (
        "run.comparison_downloaded",
        "downloaded a comparison of runs of",
    )
    RUN_DELETED = "run.deleted", "put aside"
    RUN_ENDED = "run.ended", "ended"
    RUN_IMPORTED = "run.imported", "brought over"
    RUN_INPUTS_LOGGED = "run.inputs_logged", "logged the datasets of"
    RUN_LOGGED = "run.logged", "logged a segment of"
    RUN_MODELS_LOGGED = "run.models_logged", "logged the models of"
    RUN_RECORDED = "run.recorded", "recorded"
    RUN_RESTORED = "run.restored", "brought back"
    RUN_STARTED = "run.started", "started"
    RUN_TABLE_DOWNLOADED = "run.table_downloaded", "downloaded a table of runs of"
    RUN_TAG_DELETED = "run.tag_deleted", "took a tag off"
    RUN_TAGS_SET = "run.tags_set", "tagged"
    RUN_UPDATED = "run.updated", "changed"

    SEALED_BUDGET_SET = "sealed.budget_set", "set the budget of looks at sealed data in"
    SEALED_LOOKED = "sealed.looked", "had a model measured on the"
    SEALED_PART_CANCEL_REQUESTED = (
        "sealed.part_cancel_requested",
        "asked to cancel reading of the",
    )
    SEALED_PART_CANCELLED = "sealed.part_cancelled", "cancelled reading of the"
    SEALED_PART_FAILED = "sealed.part_failed", "could not read the"
    SEALED_PART_READY = "sealed.part_ready", "finished reading the"
    SEALED_PART_REQUEUED = "sealed.part_requeued", "queued again the"
    SEALED_PART_STARTED = "sealed.part_started", "began to read the"
    SEALED_PART_UPLOADED = "sealed.part_uploaded", "uploaded the"

    TOKEN_ISSUED = "token.issued", "issued API token"
    TOKEN_REVOKED = "token.revoked", "revoked API token"

    TRAINING_CANCEL_REQUESTED = "training.cancel_requested", "asked to cancel"
    TRAINING_CANCELLED = "training.cancelled", "cancelled"
    TRAINING_FAILED = "training.failed", "could not finish"
    TRAINING_FINISHED = "training.finished", "finished"
    TRAINING_LAUNCHED = "training.launched", "launched"
    TRAINING_REQUEUED = "training.requeued", "queued again"
    TRAINING_STARTED = "training.started", "started"

    UPLOAD_CANCELLED = "upload.cancelled", "cancelled the"
    UPLOAD_EXPIRED = "upload.expired", "removed the unfinished"
    UPLOAD_STARTED = "upload.started", "began the"

    WAIVER_GRANTED = "waiver.granted", "granted"
    WAIVER_REPORTED = "waiver.reported", "recorded a report to OMB on"
    WAIVER_REVOKED = "waiver.revoked", "revoked"

    WEBHOOK_ADDED = "webhook.added", "added"
    WEBHOOK_REMOVED = "webhook.removed", "removed"
    WEBHOOK_RESENT = "webhook.resent", "had sent again"

    @property
    def outcome(self) -> str:
        """Say how it ended: success, failure, denied or error."""
        return _OUTCOMES.get(
            self, "failure" if self.value.endswith("failed") else "success"
        )

    @property
    def severity(self) -> int:
        """Say how much it concerns an auditor, from 1 (as usual) to 5."""
        return _SEVERITIES.get(self, 1 if self.outcome == "success" else 3)


_OUTCOMES = {
    EventType.ACCESS_FAILED: "error",
    EventType.ACCESS_REFUSED: "denied",
    EventType.ACCOUNT_LOCKED_OUT: "denied",
}
_SEVERITIES = {
    EventType.ACCOUNT_LOCKED_OUT: 4,
    EventType.ACCOUNT_ROLES_SET: 2,
    EventType.AUDIT_EXPORTED: 2,
    EventType.AUDIT_FLAW_ACCEPTED: 5,
    EventType.AUDIT_HOLD_LIFTED: 4,
    EventType.AUDIT_HOLD_PLACED: 3,
    EventType.AUDIT_PRUNE_APPROVED: 4,
    EventType.AUDIT_PRUNE_REQUESTED: 3,
    EventType.AUDIT_REDACTED: 4,
    EventType.AUDIT_SEGMENT_PRUNED: 4,
    EventType.EMERGENCY_DECLARED: 4,
    EventType.EMERGENCY_LAPSED: 3,
    EventType.MEMBER_ADDED: 2,
    EventType.MEMBER_REMOVED: 2,
    EventType.MEMBER_ROLE_CHANGED: 2,
    EventType.WAIVER_GRANTED: 3,
    EventType.WAIVER_REVOKED: 3,
}
