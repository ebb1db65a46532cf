"""Rows of the audit trail."""

from apps.audit.models import AuditEvent
from tests.factories import exports
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
    Row("audit:event_proof", "get", sealed_event, TRAIL_READERS),
    # Nothing is sealed in the world of these rows.
    Row("audit:checkpoint", "get", others=404),
    Row("audit:verification_key", "get", expect=everybody(200, *PEOPLE)),
    Row("audit:verifier", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:audit_consistency", "get", sealed, others=200, query="old=1&new=2"),
    Row("v1:audit_entries", "get", first_entries, {AUDITOR: 200}, others=403),
    Row("v1:audit_event_proof", "get", sealed_event, TRAIL_READERS),
    Row("v1:audit_inclusion", "get", sealed, others=200, query="leaf=0&size=2"),
    Row("v1:audit_tile", "get", first_tile, others=200),
    Row("v1:audit_checkpoint", "get", others=404),
    Row("v1:audit_events", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:audit_stream", "get", expect={AUDITOR: 200}, others=403),
]
