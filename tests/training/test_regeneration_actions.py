"""Runs are done again from their record alone, and the verdict is kept for good."""

import hashlib
import json
from io import BytesIO
from pathlib import Path

import pytest

from apps.audit.models import AuditEvent
from apps.core import blobs
from apps.core.errors import Invalid, Refused, WrongState
from apps.experiments.models import Run
from apps.jobs.models import JobStatus
from apps.projects.actions import access
from apps.training import actions
from apps.training.models import Regeneration, Sameness
from tests.factories import experiments, regenerations, training
from tests.trail import nothing_recorded


def last_event() -> AuditEvent:
    return AuditEvent.objects.latest("pk")


@pytest.fixture
def run(project, data_scientist) -> Run:
    return regenerations.run(project, data_scientist)


def test_request_regeneration_queues_from_the_record(run, validator):
    found = actions.request_regeneration(
        run=run, by=validator, tolerance={"predictions": 0.1, "metrics": 0}
    )

    record = run.artifacts.get(path="record.json")
    assert (found.status, found.number) == (JobStatus.QUEUED, 1)
    assert found.record_sha256 == record.sha256
    assert found.tolerance == {"predictions": 0.1, "metrics": 0.0}
    event = last_event()
    assert event.type == "regeneration.requested"
    assert event.changes["record_sha256"] == record.sha256


@pytest.mark.parametrize("who", ["developer", "operations_manager", "ai_official"])
def test_request_regeneration_refuses_who_may_not(world, run, who):
    with nothing_recorded(), pytest.raises(Refused, match="Only"):
        actions.request_regeneration(run=run, by=getattr(world, who))


def test_request_regeneration_needs_a_record(project, data_scientist):
    run = experiments.run(
        experiments.experiment(project, data_scientist), data_scientist
    )

    with nothing_recorded(), pytest.raises(WrongState, match="no record"):
        actions.request_regeneration(run=run, by=data_scientist)


def test_request_regeneration_waits_for_the_one_before(run, data_scientist):
    actions.request_regeneration(run=run, by=data_scientist)

    with nothing_recorded(), pytest.raises(WrongState, match="already"):
        actions.request_regeneration(run=run, by=data_scientist)


@pytest.mark.parametrize(
    "tolerance",
    [
        {},
        {"predictions": 1},
        {"predictions": -1, "metrics": 0},
        {"predictions": float("nan"), "metrics": 0},
        {"predictions": "1", "metrics": 0},
        {"predictions": True, "metrics": 0},
        {"predictions": 1, "metrics": 1, "other": 1},
    ],
)
def test_request_regeneration_refuses_what_is_no_tolerance(
    run, data_scientist, tolerance
):
    with nothing_recorded(), pytest.raises(Invalid, match="two numbers"):
        actions.request_regeneration(run=run, by=data_scientist, tolerance=tolerance)


def test_finish_regeneration_writes_a_certificate_that_its_event_holds(
    project, data_scientist, run
):
    found = regenerations.certified(project, data_scientist, run)

    assert found.verdict == Sameness.IDENTICAL
    facts = json.loads(found.certificate)
    assert facts["run"]["id"] == str(run.pk)
    assert facts["verdict"] == "identical"
    digest = hashlib.sha256(found.certificate.encode()).hexdigest()
    event = last_event()
    assert event.type == "regeneration.certified"
    assert event.changes["certificate_sha256"] == digest == found.certificate_sha256
    assert event.changes["verdict"] == "identical"
    assert event.changes["record_sha256"] == found.record_sha256


def test_download_regeneration_bundle_is_recorded(run, validator):
    bundle = actions.download_regeneration_bundle(run=run, by=validator)

    data = run.dataset_version.parquet_sha256
    assert bundle.blobs["job/inputs/data.parquet"] == data
    event = last_event()
    assert event.type == "regeneration.bundle_downloaded"
    assert event.changes["job/inputs/data.parquet"] == data


def test_download_regeneration_bundle_asks_for_what_the_data_asks(
    run, data_scientist, validator, developer
):
    with pytest.raises(Refused):
        actions.download_regeneration_bundle(run=run, by=developer)
    access.restrict(thing=run.dataset_version.dataset, by=data_scientist)

    with pytest.raises(Refused, match="not granted"):
        actions.download_regeneration_bundle(run=run, by=validator)


def run_with_record(project, by, change) -> Run:
    """A run whose engine wrote what it liked into its record."""
    running = training.running_job(project, by)
    outcome = training.success(running)
    path = outcome.folder / "outputs" / "record.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    return training.finish(running, outcome).run


def test_a_record_that_names_other_data_hands_nothing_out(project, data_scientist):
    secret = blobs.store(BytesIO(b"rows of another project"))
    run = run_with_record(
        project,
        data_scientist,
        lambda record: record | {"inputs": {"data.parquet": secret.sha256}},
    )

    with pytest.raises(WrongState, match="other data"):
        actions.download_regeneration_bundle(run=run, by=data_scientist)
    found = regenerations.done_again(run, data_scientist)
    assert (found.status, found.failure_code) == ("failed", "record_damaged")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"inputs": {"data.parquet": "../../secret"}},
        {"inputs": {"data.parquet": 7}},
        {"inputs": []},
        {"outputs": {"predictions.parquet": "f" * 64}},
        {"spec": None},
        {"steps": "many"},
    ],
)
def test_a_record_of_another_form_is_not_believed(project, data_scientist, change):
    run = run_with_record(project, data_scientist, lambda record: record | change)

    with pytest.raises(WrongState, match="other data"):
        actions.download_regeneration_bundle(run=run, by=data_scientist)


@pytest.fixture
def blob_path(settings):
    """Where a blob lies, to be changed by somebody with access to the disk."""
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])

    def find(sha256: str) -> Path:
        (path,) = root.rglob(sha256)
        path.chmod(0o600)
        return path

    return find


def test_a_run_that_is_done_again_is_identical(
    project, data_scientist, auditor, tmp_path
):
    run = regenerations.trained_run(project, data_scientist, tmp_path)
    # Rows of the database that could have changed are not asked.
    job = run.training_job
    job.spec = {**job.spec, "seed": 99}
    job.save()
    run.parameters.filter(key="seed").update(value="99")

    found = regenerations.done_again(run, auditor)

    assert found.status == JobStatus.SUCCEEDED, found.failure_details
    assert found.verdict == Sameness.IDENTICAL, found.facts["sentence"]
    assert found.facts["predictions"]["largest"] == 0
    assert all(step["expected"] == step["found"] for step in found.facts["steps"])
    # What it left is compared and thrown away: there is still one run.
    assert Run.objects.count() == 1
    assert events_of(found) == [
        "regeneration.requested",
        "regeneration.started",
        "regeneration.certified",
    ]


def events_of(found: Regeneration) -> list[str]:
    events = AuditEvent.objects.filter(target_id=str(found.pk)).order_by("pk")
    return [event.type for event in events]


def test_damaged_data_is_a_verdict_of_its_own(run, data_scientist, blob_path):
    blob_path(run.dataset_version.parquet_sha256).write_bytes(b"something else")

    found = regenerations.done_again(run, data_scientist)

    assert found.verdict == Sameness.DATA_DAMAGED, found.failure_message
    assert "Restore the file" in found.facts["sentence"]
    assert found.facts["causes"][0]["kind"] == "data"


def test_missing_data_is_a_verdict_of_its_own(run, data_scientist, blob_path):
    blob_path(run.dataset_version.parquet_sha256).unlink()

    found = regenerations.done_again(run, data_scientist)

    assert found.verdict == Sameness.DATA_MISSING
    assert "no longer in the store" in found.facts["sentence"]


@pytest.mark.parametrize("way", ["changed", "gone"])
def test_a_damaged_record_ends_the_regeneration(run, data_scientist, blob_path, way):
    path = blob_path(run.artifacts.get(path="record.json").sha256)
    path.write_bytes(b"{}") if way == "changed" else path.unlink()

    found = regenerations.done_again(run, data_scientist)

    assert (found.status, found.failure_code) == ("failed", "record_damaged")
    assert "backup" in found.failure_message


def test_a_training_that_fails_the_second_time_fails_the_regeneration(
    run, data_scientist
):
    found = regenerations.done_again(run, data_scientist)  # its data is no table

    assert found.status == JobStatus.FAILED
    assert found.certificate == ""
    assert events_of(found)[-1] == "regeneration.failed"
