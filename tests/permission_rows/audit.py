"""Rows of the audit trail."""

from apps.audit.models import AuditEvent, SavedFilter
from tests.factories import exports, retention
from tests.permission_rows import (
    ADMINISTRATOR,
    AI_OFFICIAL,
    AUDITOR,
    DATA_SCIENTIST,
    OPERATIONS_MANAGER,
    PEOPLE,
    PROGRAM_MANAGER,
    VALIDATOR,
    Row,
    everybody,
)


def event_of_the_project(world):
    event = AuditEvent.objects.filter(type="member.added").first()
    return {"event_id": event.event_id}, None


def sealed_event(world):
    exports.seal_everything()
    return event_of_the_project(world)


def first_tile(world):
    exports.seal_everything()
    return {"level": 0, "tile": "000.p/1"}, None


def first_entries(world):
    exports.seal_everything()
    return {"tile": "000.p/1"}, None


def sealed(world):
    exports.seal_everything()
    return {}, None


def history_of_the_project(world):
    return {"kind": "projects.project", "key": str(world.project.pk)}, None


def filter_to_save(world):
    return {}, {"name": "Approvals", "query": "type=approval.*"}


def filter_of_the_auditor(world):
    kept = SavedFilter.objects.keep(owner=world.auditor, name="Mine", query="text=x")
    return {"pk": kept.pk}, None


def segment(world):
    return {"number": retention.segment().pk}, None


def segment_to_prune(world):
    return {"number": retention.segment().pk}, {"reason": "Schedule 3.2"}


def prune_request(world):
    return {"pk": retention.prune_request(world).pk}, {"reason": "Inquiry"}


def new_hold(world):
    return {}, {"kind": "trail", "reason": "Case 7"}


def hold(world):
    return {"pk": retention.hold(world).pk}, {"reason": "Closed"}


KEEPERS = everybody(200, AUDITOR, AI_OFFICIAL, ADMINISTRATOR)
# Who sees that something is kept or removed, and may do this or that about it.
TOLD_NO = everybody(403, AUDITOR, AI_OFFICIAL, ADMINISTRATOR)
TRAIL_READERS = everybody(
    200,
    PROGRAM_MANAGER,
    DATA_SCIENTIST,
    VALIDATOR,
    OPERATIONS_MANAGER,
    AUDITOR,
    AI_OFFICIAL,
)

ROWS = [
    Row("audit:list", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:event", "get", event_of_the_project, TRAIL_READERS),
    Row("audit:count", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:people", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:save_filter", "post", filter_to_save, everybody(302, *PEOPLE)),
    Row("audit:delete_filter", "post", filter_of_the_auditor, {AUDITOR: 302}),
    Row("audit:timeline", "get", history_of_the_project, TRAIL_READERS),
    Row(
        "audit:standing", "get", expect=everybody(200, AUDITOR, AI_OFFICIAL), others=403
    ),
    Row("audit:verify", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:event_proof", "get", sealed_event, TRAIL_READERS),
    # Nothing is sealed in the world of these rows.
    Row("audit:checkpoint", "get", others=404),
    Row("audit:verification_key", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:verifier", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:segments", "get", expect=KEEPERS, others=403),
    Row("audit:segment", "get", segment, KEEPERS),
    Row("audit:download_archive", "get", segment, {**TOLD_NO, AUDITOR: 200}),
    Row(
        "audit:request_prune",
        "post",
        segment_to_prune,
        {**TOLD_NO, ADMINISTRATOR: 302},
    ),
    Row("audit:approve_prune", "post", prune_request, {**TOLD_NO, AUDITOR: 302}),
    Row(
        "audit:withdraw_prune",
        "post",
        prune_request,
        {**TOLD_NO, AUDITOR: 302, ADMINISTRATOR: 302},
    ),
    Row("audit:holds", "get", expect=KEEPERS, others=403),
    Row("audit:place_hold", "post", new_hold, {AUDITOR: 302}, others=403),
    Row("audit:lift_hold", "post", hold, {**TOLD_NO, AUDITOR: 302}),
    Row("v1:segments", "get", expect=KEEPERS, others=403),
    Row("v1:segment", "get", segment, KEEPERS),
    Row("v1:download_archive", "get", segment, {**TOLD_NO, AUDITOR: 200}),
    Row("v1:request_prune", "post", segment_to_prune, {**TOLD_NO, ADMINISTRATOR: 201}),
    Row("v1:approve_prune", "post", prune_request, {**TOLD_NO, AUDITOR: 200}),
    Row(
        "v1:withdraw_prune",
        "post",
        prune_request,
        {**TOLD_NO, AUDITOR: 200, ADMINISTRATOR: 200},
    ),
    Row("v1:holds", "get", expect=KEEPERS, others=403),
    Row("v1:holds", "post", new_hold, {AUDITOR: 201}, others=403),
    Row("v1:lift_hold", "post", hold, {**TOLD_NO, AUDITOR: 200}),
    Row("v1:audit_consistency", "get", sealed, others=200, query="old=1&new=2"),
    Row("v1:audit_entries", "get", first_entries, {AUDITOR: 200}, others=403),
    Row("v1:audit_event_proof", "get", sealed_event, TRAIL_READERS),
    Row("v1:audit_inclusion", "get", sealed, others=200, query="leaf=0&size=2"),
    Row("v1:audit_tile", "get", first_tile, others=200),
    Row("v1:audit_checkpoint", "get", others=404),
    Row("v1:audit_events", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:audit_stream", "get", expect={AUDITOR: 200}, others=403),
]
