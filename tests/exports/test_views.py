import pytest

from apps.core.sandbox import Progress
from apps.exports.models import AuditExport, ExportForm
from apps.jobs.actions import cancel_job, start_job
from tests.costs import queries_of
from tests.factories import exports, people
from tests.trail import nothing_recorded, one_event

CREATE = "/audit/exports/create/"


@pytest.fixture
def auditors(auditor, client_of):
    return client_of(auditor)


def test_the_form_says_what_each_export_proves(auditors):
    exports.seal_everything()

    html = auditors.get(CREATE, {"person": "petra"}).content.decode()

    for form in ExportForm:
        assert form.shows in html
    assert "petra" in html


def test_the_form_offers_a_program_manager_no_bundle(program_manager, client_of):
    exports.seal_everything()

    html = client_of(program_manager).get(CREATE).content.decode()

    assert 'value="bundle"' not in html
    assert "Only an auditor can export the whole trail" in html


def test_the_form_says_that_nothing_is_sealed(auditors):
    html = auditors.get(CREATE).content.decode()

    assert "Nothing is sealed yet" in html


def test_request_export_leads_to_its_page(auditors):
    exports.seal_everything()

    answer = auditors.post(
        f"{CREATE}?type=member.added", {"form": "jsonl", "with_names": "on"}
    )

    export = AuditExport.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, export.get_absolute_url())
    assert (export.form, export.with_names) == ("jsonl", True)
    assert export.wanted == {"type": "member.added"}


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("", {"form": "xlsx"}),
        ("", {}),
        ("?since=soon", {"form": "csv"}),
        ("?type=coffee.made", {"form": "csv"}),
        ("?text=%00", {"form": "csv"}),
    ],
)
def test_request_export_says_what_is_wrong(auditors, query, data):
    exports.seal_everything()

    with nothing_recorded():
        answer = auditors.post(f"{CREATE}{query}", data)

    assert answer.status_code == 422
    assert not AuditExport.objects.exists()


def test_a_filter_is_escaped_where_it_is_shown(auditors):
    exports.seal_everything()
    query = "?text=%3Cscript%3Ealert(1)%3C/script%3E"
    auditors.post(f"{CREATE}{query}", {"form": "csv"})

    pages = [
        auditors.get(f"{CREATE}{query}"),
        auditors.get(AuditExport.objects.get().get_absolute_url()),
    ]

    for page in pages:
        assert "<script>alert" not in page.content.decode()
        assert "&lt;script&gt;alert(1)" in page.content.decode()


def test_the_page_of_a_waiting_export_asks_again_and_can_cancel(auditors, auditor):
    export = exports.requested(auditor)

    html = auditors.get(export.get_absolute_url()).content.decode()

    assert "Waiting for a worker" in html
    assert 'hx-trigger="every 1s"' in html
    assert "Cancel export" in html


def test_the_page_of_a_running_export_shows_its_progress(auditors, auditor, worker):
    export = exports.requested(auditor)
    running = start_job(model=AuditExport, pk=export.pk, by=worker)
    AuditExport.objects.filter(pk=export.pk).note_progress(
        claim_id=running.claim_id, progress=Progress(0.25, "10 of 40 events")
    )
    cancel_job(job=export, by=auditor)

    html = auditors.get(f"{export.get_absolute_url()}status/").content.decode()

    assert "10 of 40 events" in html
    assert "25\N{NO-BREAK SPACE}%" in html
    assert "Cancelling was asked for" in html


def test_the_page_of_a_finished_export_stops_asking(auditors, auditor):
    export = exports.written(auditor, "bundle")

    answer = auditors.get(f"{export.get_absolute_url()}status/")

    html = answer.content.decode()
    assert answer.status_code == 286
    assert "hx-trigger" not in html
    assert export.sha256 in html
    assert export.manifest_sha256 in html
    assert "OSCAL" in html


def test_the_page_of_a_failed_export_says_why(auditors, auditor):
    export = exports.requested(auditor)
    auditor.agency_roles = []
    auditor.save()
    exports.write_export(pk=str(export.pk))

    html = auditors.get(export.get_absolute_url()).content.decode()

    assert "The export failed" in html
    assert "Only an auditor" in html


def test_cancel_export_leads_back(auditors, auditor):
    export = exports.requested(auditor)

    with one_event("audit.export_cancelled"):
        answer = auditors.post(f"{export.get_absolute_url()}cancel/")

    assert answer["Location"] == export.get_absolute_url()
    page = auditors.get(export.get_absolute_url()).content.decode()
    assert "It was stopped before it was written." in page


def test_download_export_sends_the_file_as_an_attachment(auditors, auditor):
    export = exports.written(auditor, "csv")

    answer = auditors.get(f"{export.get_absolute_url()}download/")

    assert b"".join(answer.streaming_content) == exports.content_of(export)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == (
        f'attachment; filename="{export.file_name}"'
    )


@pytest.mark.parametrize("part", ["", "status/", "download/", "assessment/"])
def test_an_export_of_somebody_else_is_not_there(auditor, client_of, part):
    other = people.person("other@agency.example", "Otto", agency_roles=["auditor"])
    export = exports.written(auditor, "bundle")

    with nothing_recorded():
        answer = client_of(other).get(f"{export.get_absolute_url()}{part}")

    assert answer.status_code == 404


def test_the_list_has_my_exports_only(auditors, auditor, program_manager):
    mine, others = exports.written(auditor), exports.requested(program_manager, "pdf")

    html = auditors.get("/audit/exports/").content.decode()

    assert mine.get_absolute_url() in html
    assert others.get_absolute_url() not in html


def test_the_list_costs_the_same_with_many_rows(auditors, auditor):
    exports.written(auditor)
    few = queries_of(auditors, "/audit/exports/")
    for form in ("jsonl", "pdf", "proofs"):
        exports.written(auditor, form)

    assert queries_of(auditors, "/audit/exports/") == few
