from apps.audit.models import AuditEvent


def test_create_project_records_event(world):
    event = AuditEvent.objects.get(type="project.created")

    assert event.actor_id == world.program_manager.pk
    assert event.project_id == world.project.pk
    assert str(event) == (
        "Petra Program <program_manager@agency.example> created project Inspection"
    )
