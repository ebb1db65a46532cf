"""Exports written by a real worker, under bad luck."""

import pytest

from apps.audit.models import AuditEvent
from apps.exports import actions, tasks
from apps.exports.models import AuditExport
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus
from apps.jobs.tasks import sweep
from tests.audit.sealing import happen_at_once, sealer_in
from tests.factories import exports, people
from tests.workers.conftest import wait_for

pytestmark = pytest.mark.worker

MANY = 19_000  # some seconds of writing, when each has its proof


@pytest.fixture
def auditor(committed):
    return people.person("aud@agency.example", "Ada", agency_roles=["auditor"])


@pytest.fixture
def sealed_trail(auditor, tmp_path):
    sealer = sealer_in(tmp_path)
    happen_at_once(MANY)
    while sealer.seal():
        pass


def status(export: AuditExport) -> str:
    return AuditExport.objects.get(pk=export.pk).status


def is_being_written(export: AuditExport) -> bool:
    export.refresh_from_db()
    assert export.status in {JobStatus.QUEUED, JobStatus.RUNNING}
    return export.progress_ratio > 0


def events(export: AuditExport) -> list[str]:
    found = AuditEvent.objects.filter(target_id=str(export.pk)).order_by("pk")
    return [event.type.removeprefix("audit.") for event in found]


def ask(auditor, form="proofs") -> AuditExport:
    return actions.request_export(wish=exports.wish(form), by=auditor)


def test_an_export_whose_message_comes_three_times_is_written_once(
    workers, sealed_trail, auditor
):
    export = ask(auditor, "bundle")
    for _ in range(2):
        tasks.write_export.apply_async(kwargs={"pk": str(export.pk)}, queue="default")

    workers.start()
    wait_for(lambda: status(export) not in {JobStatus.QUEUED, JobStatus.RUNNING})

    assert events(export) == ["export_requested", "export_started", "exported"]
    assert AuditExport.objects.get().event_count >= MANY


def test_a_killed_worker_loses_and_doubles_nothing(
    workers, sealed_trail, auditor, settings
):
    export = ask(auditor)
    first = workers.start()
    wait_for(lambda: is_being_written(export))

    workers.kill(first)
    workers.start()
    settings.JOB_STALE_SECONDS = 0
    sweep()
    settings.JOB_STALE_SECONDS = 30
    wait_for(lambda: status(export) not in {JobStatus.QUEUED, JobStatus.RUNNING})

    assert events(export) == [
        "export_requested",
        "export_started",
        "export_requeued",
        "export_started",
        "exported",
    ]


def test_cancelling_stops_the_writing_within_five_seconds(
    workers, sealed_trail, auditor
):
    export = ask(auditor)
    workers.start()
    wait_for(lambda: is_being_written(export))

    cancel_job(job=export, by=auditor)
    wait_for(lambda: status(export) == JobStatus.CANCELLED, seconds=5)

    assert events(export)[-2:] == ["export_cancel_requested", "export_cancelled"]
    assert not AuditExport.objects.get().has_file
