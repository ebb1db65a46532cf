"""The portal at work with separate roles: web as app, the sealer as sealer."""

import io
import zipfile

import pytest
from django.core.management import call_command

from apps.accounts import actions as accounts
from apps.approvals.models import ApprovalStatus
from apps.audit.models import AuditEvent, Head
from apps.projects import actions as projects
from apps.registry.queries import champion_of
from tests.audit.roles import acting_as
from tests.audit.sealing import sealed
from tests.audit.test_sealer_process import running_sealer, wait_for
from tests.factories import approvals, exports
from tests.factories.people import PASSWORD


@pytest.fixture
def key_file(settings, tmp_path):
    settings.AUDIT_SIGNING_KEY_FILE = tmp_path / "sealer" / "signing.key"
    return settings.AUDIT_SIGNING_KEY_FILE


@pytest.fixture
def sealer_role(roles, monkeypatch):
    """The sealer's role, known to the processes that a test starts."""
    monkeypatch.setenv("DATABASE_SEALER_ROLE", roles["sealer"])
    return roles["sealer"]


def test_people_work_and_each_step_is_recorded(roles, world, client):
    before = AuditEvent.objects.count()

    with acting_as(roles["app"]):
        answer = client.post(
            "/sign-in/", {"username": world.auditor.email, "password": PASSWORD}
        )
        approval = approvals.approved(world)
        projects.edit_project(
            project=world.project,
            values={"name": "Other", "mission": "Other"},
            by=world.program_manager,
        )
        accounts.deactivate_person(person=world.outsider, by=world.administrator)
        page = client.get("/audit/")
        refused = client.post(f"/projects/{world.project.slug}/edit/", {"name": "x"})
        recorded = AuditEvent.objects.count() - before

    assert answer.status_code == 302
    assert approval.status == ApprovalStatus.APPROVED
    assert champion_of(approval.version.model) == approval.version
    assert page.status_code == 200
    assert "Missing" not in page.content.decode()
    assert refused.status_code in {403, 404}
    assert recorded > 10


def test_the_sealer_signs_what_the_application_recorded(
    sealer_role, roles, world, client_of, key_file
):
    with acting_as(sealer_role), running_sealer(key_file) as process:
        with acting_as(roles["app"]):
            approvals.approved(world)
            wait_for(lambda: len(sealed()) == AuditEvent.objects.count())
            export = exports.written(world.auditor, "bundle")
            answer = client_of(world.auditor).get(
                f"/audit/exports/{export.pk}/download/"
            )
            bundle = io.BytesIO(b"".join(answer.streaming_content))
        assert process.poll() is None

    assert "segments/000000.jsonl" in zipfile.ZipFile(bundle).namelist()
    assert (Head.objects.get().obstacle, Head.objects.get().finding) == ("", "")


def test_an_operator_asks_how_things_stand_as_sealer(sealer_role, world, key_file):
    with acting_as(sealer_role):
        call_command("seal_audit_trail", "--once")
        call_command("check_audit_trail")

    assert len(sealed()) == AuditEvent.objects.count()
