import json

import pytest

from apps.audit import actions
from apps.audit.models import AuditEvent
from apps.audit.queries import AuditFilter
from apps.core.errors import Invalid, Refused
from tests.factories import projects as project_factory
from tests.trail import nothing_recorded, one_event

EVERYTHING = AuditFilter()


def exported(by, wanted=EVERYTHING) -> list[dict]:
    lines = actions.export_audit_trail(wanted=wanted, file_format="jsonl", by=by)
    return [json.loads(line) for line in lines]


def test_export_audit_trail_records_event(auditor):
    wanted = AuditFilter(person="petra")

    with one_event("audit.exported") as events:
        lines = exported(auditor, wanted)

    assert lines[-1]["events"] == len(lines) - 1 > 0
    assert {line["actor_label"][:5] for line in lines[:-1]} == {"Petra"}
    assert events[0].changes == {"format": "jsonl", "person": "petra"}
    assert events[0].actor_id == auditor.pk


def test_an_export_holds_its_own_event(auditor):
    *_, last, total = exported(auditor)

    assert last["type"] == "audit.exported"
    assert total["events"] == AuditEvent.objects.count()


def test_a_program_manager_exports_the_own_projects_only(program_manager, project):
    project_factory.project("other")

    *lines, _ = exported(program_manager)

    assert {line["project_id"] for line in lines} == {str(project.pk)}


@pytest.mark.parametrize(
    "person",
    ["data_scientist", "validator", "developer", "ai_official", "administrator"],
)
def test_export_audit_trail_refuses_others(world, person):
    with nothing_recorded(), pytest.raises(Refused, match="Only an auditor"):
        exported(getattr(world, person))


@pytest.mark.parametrize(
    ("file_format", "wanted"),
    [
        ("xlsx", EVERYTHING),
        ("", EVERYTHING),
        ("csv", AuditFilter(since="soon")),
        ("csv", AuditFilter(type="coffee.made")),
    ],
)
def test_export_audit_trail_refuses_invalid_input(auditor, file_format, wanted):
    with nothing_recorded(), pytest.raises(Invalid):
        actions.export_audit_trail(wanted=wanted, file_format=file_format, by=auditor)


def test_record_refusal_keeps_address_and_reason(developer):
    with one_event("access.refused") as events:
        actions.record_refusal(
            address="/people/" + "x" * 400,
            reason="Only an administrator.",
            by=developer,
        )

    assert len(events[0].changes["address"]) == 300
    assert events[0].reason == "Only an administrator."


def test_record_heartbeat_is_for_the_portal_itself(administrator, worker):
    with one_event("audit.heartbeat") as events:
        actions.record_heartbeat(by=worker)
    assert (events[0].actor_id, events[0].target_id) == (worker.pk, str(worker.pk))

    with nothing_recorded(), pytest.raises(Refused, match="own account"):
        actions.record_heartbeat(by=administrator)
