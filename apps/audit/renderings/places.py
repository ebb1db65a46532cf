"""Where each kind of event stands in the words of OCSF and ECS: one table for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ACCOUNT_CHANGE: Final = 3001
AUTHENTICATION: Final = 3002
ENTITY_MANAGEMENT: Final = 3004
USER_ACCESS: Final = 3005
API_ACTIVITY: Final = 6003
DATASTORE_ACTIVITY: Final = 6005
BASE_EVENT: Final = 0
OTHER: Final = 99  # an activity that its class does not name


@dataclass(frozen=True)
class Place:
    """The class of an event.

    Args:
        class_uid: the OCSF class; its thousands are the category.
        activity_id: what was done, within that class.
        category: ECS `event.category`.
        types: ECS `event.type`, of those that the category expects.
    """

    class_uid: int
    activity_id: int
    category: str
    types: tuple[str, ...]


def _account(activity_id: int, kind: str = "change") -> Place:
    return Place(ACCOUNT_CHANGE, activity_id, "iam", ("user", kind))


def _entity(activity_id: int, kind: str = "change") -> Place:
    return Place(ENTITY_MANAGEMENT, activity_id, "configuration", (kind,))


UNREADABLE: Final = Place(BASE_EVENT, 0, "configuration", ("info",))
_LOG_ON: Final = Place(AUTHENTICATION, 1, "authentication", ("start",))
_ASSIGN: Final = Place(USER_ACCESS, 1, "iam", ("user", "change"))
_REVOKE: Final = Place(USER_ACCESS, 2, "iam", ("user", "change"))
_READ_DATA: Final = Place(DATASTORE_ACTIVITY, 1, "database", ("access",))
_READ_TRAIL: Final = Place(API_ACTIVITY, 2, "api", ("access",))
_ASK_IN_VAIN: Final = Place(API_ACTIVITY, OTHER, "api", ("info",))

_ACTIONS: Final[dict[Place, str]] = {
    _LOG_ON: "account.sign_in_failed account.signed_in",
    _account(1, "creation"): "account.created",
    _account(3): "account.password_changed",
    _account(5, "deletion"): "account.deactivated",
    _account(9): "account.locked_out",
    _account(OTHER): "account.edited",
    _ASSIGN: """account.roles_set dataset.granted delegation.given
        member.added member.role_changed model.granted""",
    _REVOKE: """dataset.grant_revoked delegation.revoked member.removed
        model.grant_revoked""",
    _READ_DATA: """dataset.downloaded import.downloaded logged_model.file_downloaded
        logged_model.file_previewed model.downloaded
        regeneration.bundle_downloaded report.downloaded run.artifact_downloaded
        run.artifact_previewed run.comparison_downloaded run.table_downloaded
        sealed.looked""",
    _READ_TRAIL: """audit.archive_downloaded audit.export_downloaded audit.exported
        audit.streamed audit.viewed""",
    _ASK_IN_VAIN: "access.failed access.refused",
    _entity(1, "creation"): """account.erasure_requested approval.requested
        audit.export_requested audit.hold_placed audit.prune_requested code.launched
        comment.written dataset.created dataset.datasheet_written dataset.diff_requested
        dataset.version_import_requested dataset.version_imported
        dataset.version_uploaded emergency.declared experiment.created finding.raised
        logged_model.created logged_model.file_logged model.registered
        model.version_registered plan.written policy.written practice.stated
        project.created regeneration.requested report.requested run.artifact_logged
        run.imported run.inputs_logged run.logged run.models_logged run.recorded
        sealed.part_uploaded token.issued training.launched waiver.granted
        webhook.added""",
    _entity(3): """approval.approved approval.condition_met approval.reinstated
        approval.rejected approval.sent_back approval.signed_off approval.stale
        audit.export_cancel_requested audit.export_failed audit.export_requeued
        audit.flaw_accepted audit.key_rotated audit.prune_approved audit.stream_moved
        code.cancel_requested code.failed code.finished code.requeued
        dataset.contract_saved dataset.diff_cancel_requested dataset.diff_failed
        dataset.diff_ready dataset.diff_requeued dataset.edited dataset.hint_decided
        dataset.opened dataset.restricted dataset.version_cancel_requested
        dataset.version_failed dataset.version_fingerprinted dataset.version_ready
        dataset.version_requeued emergency.confirmation_given emergency.confirmed
        emergency.stale experiment.renamed experiment.restored experiment.tag_deleted
        experiment.tag_set finding.accepted finding.answered finding.closed
        finding.handed_over finding.reopened import.ended logged_model.finished
        logged_model.parameters_added logged_model.tag_deleted logged_model.tags_set
        model.alias_deleted model.alias_moved model.card_edited model.described
        model.opened model.renamed model.restricted model.stage_moved model.tag_deleted
        model.tag_set model.version_described model.version_moved
        model.version_tag_deleted model.version_tag_set policy.enacted
        project.code_policy_set project.edited
        project.impact_determined project.objective_stated regeneration.cancel_requested
        regeneration.certified regeneration.failed regeneration.requeued
        report.cancel_requested report.failed report.finished report.requeued run.ended
        run.restored run.tag_deleted run.tags_set run.updated sealed.budget_set
        sealed.part_cancel_requested sealed.part_failed sealed.part_ready
        sealed.part_requeued training.cancel_requested training.failed training.finished
        training.requeued waiver.reported webhook.resent""",
    _entity(4, "deletion"): """audit.export_removed audit.hold_lifted audit.redacted
        audit.segment_pruned experiment.deleted logged_model.deleted
        logged_model.file_deleted model.deleted model.version_deleted
        run.artifact_deleted run.deleted upload.expired""",
    _entity(9): """approval.expired approval.lapsed approval.revoked
        approval.suspended emergency.ended emergency.expired emergency.lapsed
        token.revoked waiver.revoked webhook.removed""",
    _entity(10): """audit.export_started code.started dataset.diff_started
        dataset.version_started import.started regeneration.started report.started
        run.started sealed.part_started training.started upload.started""",
    _entity(
        11
    ): """account.erasure_withdrawn approval.sign_off_withdrawn approval.withdrawn
        audit.export_cancelled audit.prune_withdrawn code.cancelled comment.withdrawn
        dataset.diff_cancelled dataset.version_cancelled regeneration.cancelled
        report.cancelled sealed.part_cancelled training.cancelled upload.cancelled""",
    _entity(OTHER, "info"): "audit.heartbeat audit.history_gap audit.segment_archived",
}
PLACES: Final = {
    action: place for place, actions in _ACTIONS.items() for action in actions.split()
}
# A kind of event that the table does not know is streamed all the same.
_BY_RESOURCE: Final = {"account": _account(OTHER), "access": _ASK_IN_VAIN}


def place_of(action: str) -> Place:
    """Find the class of an event; one by its resource when the table has none."""
    if not action:
        return UNREADABLE
    resource = action.partition(".")[0]
    return PLACES.get(action) or _BY_RESOURCE.get(resource, _entity(OTHER))
