"""Rows of the audit trail."""

from apps.audit.models import AuditEvent
from tests.factories import retention
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
EXPORTERS = everybody(200, PROGRAM_MANAGER, AUDITOR)
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
    Row("audit:export_audit_trail", "get", expect=EXPORTERS, others=403),
    # Nothing is sealed in the world of these rows.
    Row("audit:export_audit_bundle", "get", expect={AUDITOR: 409}, others=403),
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
    Row("v1:audit_bundle", "get", expect={AUDITOR: 409}, others=403),
    Row("v1:audit_checkpoint", "get", others=404),
    Row("v1:audit_events", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:audit_export", "get", expect=EXPORTERS, others=403, query="format=csv"),
    Row("v1:audit_stream", "get", expect={AUDITOR: 200}, others=403),
]
