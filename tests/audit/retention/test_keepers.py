"""What is alive keeps its past: models in use and projects at work."""

import subprocess
import sys

import pytest
from django.conf import settings as portal
from django.db import transaction

from apps.accounts.actions import service_account
from apps.audit.event_types import EventType
from apps.audit.record import Entry, record_many
from apps.audit.retention import actions
from apps.audit.retention.holds import keeper_of
from apps.core.errors import WrongState
from apps.projects.models import Project
from apps.projects.queries import projects_at_work
from apps.registry.queries import projects_with_live_models
from tests.audit.retention.trails import UNIT, agreed, archived, years_ago
from tests.audit.sealing import sealer_in
from tests.factories import approvals, projects


def test_a_project_is_at_work_while_something_happens_in_it(world):
    assert set(projects_at_work()) == {world.project.pk}
    assert world.project.name in projects_at_work()[world.project.pk]


def test_a_project_of_long_ago_is_not(db):
    with years_ago(4):
        project = projects.project()

    assert project.pk not in projects_at_work()


def test_a_model_is_alive_from_its_review_on(world):
    version = approvals.validated_version(world)
    before = projects_with_live_models()

    approvals.sign(
        approvals.request(world, version),
        world.validator,
        world.operations_manager,
        world.program_manager,
    )

    kept = projects_with_live_models()
    assert before == {}
    assert set(kept) == {world.project.pk}
    assert "is approved" in kept[world.project.pk]


@pytest.fixture
def old_project(two) -> Project:
    with years_ago(4):
        return projects.project()


@pytest.fixture
def trail_of_a_project(old_project, tmp_path):
    """One segment of events of a project in which nothing happened since."""
    with years_ago(4), transaction.atomic():
        record_many(
            EventType.PROJECT_EDITED,
            entries=[
                Entry(old_project, old_project, {"n": n}) for n in range(2 * UNIT)
            ],
            by=service_account(),
        )
    sealer = sealer_in(tmp_path)
    while sealer.seal():
        pass
    return sealer


def test_a_project_that_came_back_to_life_keeps_its_segment(
    trail_of_a_project, old_project, two
):
    segment = archived(trail_of_a_project)
    assert keeper_of(segment) == ""
    prune = agreed(trail_of_a_project, segment, two)
    actions.withdraw_prune(prune=prune, reason="x", by=two.auditor)

    with transaction.atomic():
        record_many(
            EventType.PROJECT_EDITED,
            entries=[Entry(old_project, old_project)],
            by=service_account(),
        )

    with pytest.raises(WrongState, match="is at work"):
        actions.request_prune(segment=segment, reason="x", by=two.administrator)


def test_a_hold_on_a_project_keeps_its_segment(trail_of_a_project, old_project, two):
    segment = archived(trail_of_a_project)

    actions.place_hold(
        kind="project", subject_id=old_project.pk, reason="x", by=two.auditor
    )

    with pytest.raises(WrongState, match="legal hold on a project"):
        actions.request_prune(segment=segment, reason="x", by=two.administrator)


def test_another_keeper_is_asked_too(trail_of_a_project, two, settings):
    settings.AUDIT_KEEPERS = ["tests.audit.retention.test_keepers.everything"]
    segment = archived(trail_of_a_project)

    with pytest.raises(WrongState, match="We keep everything"):
        actions.request_prune(segment=segment, reason="x", by=two.administrator)


def everything():
    """A keeper as an agency may have one of its own."""
    kept = Project.objects.values_list("pk", flat=True)
    return dict.fromkeys(kept, "We keep everything.")


def test_the_portal_does_not_start_with_a_short_retention_time():
    done = subprocess.run(
        [sys.executable, "-c", "import mlops_portal.settings"],
        cwd=portal.BASE_DIR,
        env={
            "PATH": "/usr/bin:/bin",
            "PORTAL_MODE": "test",
            "SECRET_KEY": "x",
            "DATABASE_URL": "postgresql://portal@127.0.0.1/portal",
            "REDIS_URL": "redis://127.0.0.1/0",
            "AUDIT_RETENTION_MONTHS": "17",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert "AUDIT_RETENTION_MONTHS must be 18 or more" in done.stderr
