"""Rows of the audit trail."""

from apps.audit.models import AuditEvent, SavedFilter
from tests.permission_rows import (
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


def history_of_the_project(world):
    return {"kind": "projects.project", "key": str(world.project.pk)}, None


def filter_to_save(world):
    return {}, {"name": "Approvals", "query": "type=approval.*"}


def filter_of_the_auditor(world):
    kept = SavedFilter.objects.keep(owner=world.auditor, name="Mine", query="text=x")
    return {"pk": kept.pk}, None


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
    Row("audit:count", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:people", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:save_filter", "post", filter_to_save, everybody(302, *PEOPLE)),
    Row("audit:delete_filter", "post", filter_of_the_auditor, {AUDITOR: 302}),
    Row("audit:timeline", "get", history_of_the_project, TRAIL_READERS),
    Row(
        "audit:standing", "get", expect=everybody(200, AUDITOR, AI_OFFICIAL), others=403
    ),
    Row("audit:verify", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:export_audit_trail", "get", expect=EXPORTERS, others=403),
    # Nothing is sealed in the world of these rows.
    Row("audit:export_audit_bundle", "get", expect={AUDITOR: 409}, others=403),
    Row("audit:checkpoint", "get", others=404),
    Row("audit:verification_key", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:verifier", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:audit_bundle", "get", expect={AUDITOR: 409}, others=403),
    Row("v1:audit_checkpoint", "get", others=404),
    Row("v1:audit_events", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:audit_export", "get", expect=EXPORTERS, others=403, query="format=csv"),
    Row("v1:audit_stream", "get", expect={AUDITOR: 200}, others=403),
]
