"""What a worker writes, form by form, and when it stops."""

import csv
import io
import json
import zipfile

import pytest

from apps.audit.models import AuditEvent
from apps.core.sandbox import Progress
from apps.exports import writing
from apps.exports.models import AuditExport, ExportForm
from apps.exports.tasks import write_export
from apps.jobs.models import JobStatus
from tests.factories import exports


@pytest.mark.parametrize("form", ExportForm)
def test_every_form_is_written(auditor, form):
    export = exports.written(auditor, form.value)

    assert export.status == JobStatus.SUCCEEDED, export.failure_details
    assert export.event_count == export.tree_size
    assert export.size_bytes == len(exports.content_of(export))
    assert export.stage == "Finished"


def test_a_program_manager_exports_the_own_projects_only(program_manager, project):
    export = exports.written(program_manager, "jsonl")

    *rows, last = map(json.loads, exports.content_of(export).splitlines())
    assert {row["body"]["scope"]["project"] for row in rows} == {str(project.pk)}
    assert last["filter"] == {"project": str(project.pk)}


def test_an_export_follows_the_filter(auditor):
    export = exports.written(auditor, "csv", type="member.added")

    rows = list(csv.DictReader(io.StringIO(exports.content_of(export).decode())))
    assert {row["type"] for row in rows} == {"member.added"}
    assert len(rows) == export.event_count == 4


def test_an_export_for_excel_begins_with_a_mark(auditor):
    export = exports.written(auditor, "csv", with_byte_order_mark=True)

    assert exports.content_of(export).startswith(b"\xef\xbb\xbfleaf_index,")


def test_events_after_the_request_are_not_in_the_export(auditor):
    export = exports.requested(auditor, "jsonl")
    exports.seal_everything()

    write_export(pk=str(export.pk))

    export.refresh_from_db()
    assert export.event_count == export.tree_size < AuditEvent.objects.count()


def test_an_export_is_not_written_for_somebody_who_lost_the_right(auditor):
    export = exports.requested(auditor)
    auditor.agency_roles = []
    auditor.save()

    write_export(pk=str(export.pk))

    export.refresh_from_db()
    assert (export.status, export.failure_code) == (JobStatus.FAILED, "refused")
    assert export.failure_message.startswith("Only an auditor")


def test_too_many_proofs_are_not_written(auditor, monkeypatch):
    monkeypatch.setattr(writing, "MAX_EVENTS", 3)

    export = exports.written(auditor, "proofs", type="member.added")

    assert (export.status, export.failure_code) == (JobStatus.FAILED, "too_many")
    assert export.failure_message.startswith("The filter gives 4 events")


def test_a_second_attempt_writes_the_same_file(auditor):
    first = exports.written(auditor, "bundle")
    AuditExport.objects.filter(pk=first.pk).update(
        status=JobStatus.QUEUED,
        sha256="",
        keep_until=None,
        finished_at=None,
    )

    write_export(pk=str(first.pk))

    assert AuditExport.objects.get(pk=first.pk).sha256 == first.sha256


def test_a_bundle_has_an_assessment_beside_it(auditor):
    export = exports.written(auditor, "bundle")

    file = exports.actions.download_export(export=export, by=auditor, assessment=True)

    with exports.actions.blobs.open_blob(file.sha256, shelf=file.shelf) as stored:
        results = json.load(stored)["assessment-results"]
    [resource, _] = results["back-matter"]["resources"]
    assert resource["rlinks"][0]["hashes"][0]["value"] == export.manifest_sha256
    assert file.name.endswith("-assessment-results.json")


def test_proofs_are_a_bundle_of_their_own(auditor):
    export = exports.written(auditor, "proofs", type="member.added")

    names = zipfile.ZipFile(io.BytesIO(exports.content_of(export))).namelist()
    assert sum(name.startswith("proofs/") for name in names) == 4
    assert sum(name.startswith("events/") for name in names) == 4


@pytest.mark.parametrize(
    ("answer", "status"), [("cancel", "cancelled"), ("lost", "lost")]
)
def test_write_stops_when_it_is_told(auditor, tmp_path, answer, status):
    (tmp_path / "outputs").mkdir()
    told = []

    def watch(progress: Progress) -> str:
        told.append(progress)
        return answer

    outcome = writing.write(exports.requested(auditor), tmp_path, watch)

    assert outcome.status == status
    assert told[0].stage.startswith("0 of ")


def test_progress_is_told_twice_a_second_at_most(monkeypatch):
    now, told = [100.0], []
    monkeypatch.setattr(writing.time, "monotonic", lambda: now[0])
    tell = writing.Teller(lambda progress: told.append(progress) or "go on")
    tell.total = 4000

    tell(1000)
    tell(2000)
    now[0] += 0.5
    tell(3000)

    assert [one.stage for one in told] == [
        "1,000 of 4,000 events",
        "3,000 of 4,000 events",
    ]
    assert told[-1].ratio == 0.75
