import io
import zipfile

import pytest

from apps.exports.models import AuditExport
from tests.factories import exports, people
from tests.trail import nothing_recorded, one_event

EXPORTS = "/api/v1/audit/exports"


@pytest.fixture
def auditors(auditor, api_of):
    return api_of(auditor)


def post(client, **data):
    return client.post(EXPORTS, data, content_type="application/json")


def test_an_export_is_asked_for_followed_and_downloaded(auditors):
    exports.seal_everything()

    asked = post(auditors, form="proofs", filter={"type": "member.added"})
    waiting = auditors.get(asked.json()["status_url"]).json()
    exports.write_export(pk=asked.json()["id"])
    finished = auditors.get(asked["Location"]).json()
    with one_event("audit.export_downloaded") as events:
        answer = auditors.get(finished["download_url"])

    assert (asked.status_code, waiting["status"]) == (202, "queued")
    assert (waiting["download_url"], waiting["events"]) == ("", None)
    assert (finished["status"], finished["events"]) == ("succeeded", 4)
    assert finished["shows"].startswith("Proves of each event")
    assert events[0].channel == "api"
    bundle = io.BytesIO(b"".join(answer.streaming_content))
    assert "MANIFEST.json" in zipfile.ZipFile(bundle).namelist()


def test_a_bundle_offers_its_assessment(auditors, auditor):
    export = exports.written(auditor, "bundle")

    told = auditors.get(f"{EXPORTS}/{export.pk}").json()
    answer = auditors.get(told["assessment_url"])

    assert answer["Content-Type"] == "application/json"
    assert b"assessment-results" in b"".join(answer.streaming_content)


def test_my_exports_are_listed_newest_first(auditors, auditor, program_manager):
    mine = [exports.written(auditor, form) for form in ("csv", "jsonl")]
    exports.requested(program_manager)

    rows = auditors.get(EXPORTS).json()["results"]

    assert [row["id"] for row in rows] == [str(one.pk) for one in reversed(mine)]


def test_an_export_is_cancelled_once(auditors, auditor):
    export = exports.requested(auditor)

    first = auditors.post(f"{EXPORTS}/{export.pk}/cancel")
    second = auditors.post(f"{EXPORTS}/{export.pk}/cancel")

    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert second.status_code == 409


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"form": "xlsx"}, "form"),
        ({}, "form"),
        ({"form": "csv", "filter": {"colour": "red"}}, "filter"),
        ({"form": "csv", "filter": {"text": "x" * 201}}, "filter"),
        ({"form": "csv", "filter": {"since": "soon"}}, "since"),
    ],
)
def test_what_is_wrong_is_said_by_field(auditors, data, field):
    exports.seal_everything()

    with nothing_recorded():
        answer = post(auditors, **data)

    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == [field]
    assert not AuditExport.objects.exists()


def test_nothing_sealed_and_nothing_written_are_wrong_states(auditors, auditor):
    early = post(auditors, form="csv")
    export = exports.requested(auditor)

    answer = auditors.get(f"{EXPORTS}/{export.pk}/download")

    assert (early.status_code, answer.status_code) == (409, 409)
    assert early.json()["message"].startswith("Nothing is sealed yet")
    assert answer.json()["message"] == "This export has no file."


@pytest.mark.parametrize("part", ["", "/download", "/assessment"])
def test_an_export_of_somebody_else_is_not_there(auditor, api_of, part):
    other = people.person("other@agency.example", "Otto", agency_roles=["auditor"])
    export = exports.written(auditor, "bundle")

    assert api_of(other).get(f"{EXPORTS}/{export.pk}{part}").status_code == 404


def test_a_refused_export_says_why_and_is_recorded(validator, api_of):
    api = api_of(validator)

    with one_event("access.refused"):
        answer = post(api, form="csv")

    assert answer.status_code == 403
    assert answer.json()["message"].startswith("Only an auditor or a program manager")
