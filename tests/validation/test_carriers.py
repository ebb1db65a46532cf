"""The files of a report: one digest on all, small whatever was measured."""

import hashlib
import json
import re
import time

import pytest
import rfc8785
from django.urls import reverse
from django.utils.html import escape

from apps.audit.models import AuditEvent
from apps.core.errors import Invalid
from apps.validation import actions, queries
from apps.validation.carriers import FORMS, report_file
from apps.validation.models import ValidationReport
from engine.spec import FAMILIES
from tests.factories import registry, reports
from tests.factories import validation as factory

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def whole(report):
    return queries.with_origins(ValidationReport.objects.all()).get(pk=report.pk)


@pytest.fixture
def report(version, validator):
    families = [reports.family(), reports.untested()]
    made = factory.finished_report(version, validator, families=families)
    return whole(made)


@pytest.fixture(params=[reports.largest, reports.largest_of_many_classes])
def largest(request, version, validator):
    made = factory.finished_report(version, validator, "fail", **request.param())
    return whole(made)


def written(report, viewer, form: str) -> bytes:
    return report_file(report, form, viewer=viewer).content


def test_every_form_has_the_same_digest(report, validator):
    files = {form: report_file(report, form, viewer=validator) for form in FORMS}

    (digest,) = {file.digest for file in files.values()}
    assert digest.encode() in files["html"].content
    assert json.loads(files["json"].content)["digest"] == digest


def test_json_is_canonical_and_proves_its_digests(report, validator):
    content = written(report, validator, "json")

    told = json.loads(content)
    assert rfc8785.dumps(told) == content
    assert told["document"]["format"] == "portal-validation-report-1"
    canonical = rfc8785.dumps(told["document"])
    assert hashlib.sha256(canonical).hexdigest() == told["digest"]
    result = hashlib.sha256(rfc8785.dumps(told["result"])).hexdigest()
    assert result == told["document"]["result_digest"] == report.result_digest


def test_html_needs_nothing_from_elsewhere(report, validator):
    html = written(report, validator, "html").decode()

    assert "<script" not in html
    assert "url(" not in html
    addresses = re.findall(r'(?:href|src|xmlns)="([^"#]+)"', html)
    assert set(addresses) == {"http://www.w3.org/2000/svg"}
    assert html.count("<svg") == html.count('role="img" aria-label=')
    assert html.count("<svg") == html.count("<summary>Show the numbers as a table")
    assert "There was no champion." in html


def test_html_escapes_what_comes_from_data(version, validator):
    family = reports.family(title=SCRIPT, summary=SCRIPT)
    family["tables"][0]["rows"] = [[SCRIPT, 1, 2]]
    family["curves"][0]["lines"].append({"name": SCRIPT, "x": [1.0], "y": [1.0]})
    made = factory.finished_report(version, validator, families=[family])

    html = written(whole(made), validator, "html").decode()

    assert "<script" not in html
    assert escape(SCRIPT) in html


def test_html_of_the_largest_result_is_small_and_says_what_it_leaves_out(
    largest, validator
):
    html = written(largest, validator, "html")

    assert 1_000_000 < len(html) < 3_000_000
    assert b"the JSON file has it all" in html


def test_pdf_of_the_largest_result_takes_little_time(largest, validator):
    written(largest, validator, "pdf")

    begun = time.process_time()
    pdf = written(largest, validator, "pdf")

    assert time.process_time() - begun < 60  # what is not linear takes many minutes
    assert pdf.startswith(b"%PDF")
    assert b"pdfuaid" in pdf


def test_pdf_is_tagged_with_title_language_and_alternative_texts(report, validator):
    pdf = written(report, validator, "pdf")

    assert b"/Lang(en)" in pdf
    assert b"/Title(Validation report 1 of damage, version 1)" in pdf
    assert b"/StructTreeRoot" in pdf
    assert b"/Alt(What 1,000 cases cost. This model costs the least" in pdf


def test_an_old_report_without_families_has_every_form(version, validator):
    report = whole(factory.finished_report(version, validator))

    html = written(report, validator, "html").decode()

    assert "from before these were looked at" in html
    assert written(report, validator, "pdf").startswith(b"%PDF")


def test_a_file_has_every_family(version, validator):
    families = [reports.family(slug) for slug in FAMILIES]
    report = whole(factory.finished_report(version, validator, families=families))

    html = written(report, validator, "html").decode()

    assert all(f'id="family-{slug}"' in html for slug in FAMILIES)


def test_a_file_lists_every_finding(report, validator, data_scientist):
    for place in range(5):
        title = f"Number {place}"
        factory.finding(report.version, validator, data_scientist, title=title)

    html = written(report, validator, "html").decode()

    assert all(f"{place + 1}. Number {place}" in html for place in range(5))


def test_a_file_hides_a_restricted_dataset(report, developer, validator):
    data = report.version.run.dataset_version.dataset
    type(data).objects.filter(pk=data.pk).update(is_restricted=True)

    html = written(report, developer, "html").decode()

    assert "a dataset that you cannot see" in html
    assert str(report.version.run.dataset_version) not in html


@pytest.mark.parametrize("form", FORMS)
def test_download_report_sends_a_file_and_is_recorded(
    client_of, developer, report, form
):
    path = reverse("validation:download_report", args=[report.pk])

    response = client_of(developer).get(path, {"format": form})

    assert response.status_code == 200
    name = f"validation-{report.version.model.name}-1-report-1.{form}"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    event = AuditEvent.objects.get(type="report.downloaded")
    assert event.changes["format"] == form
    assert event.changes["digest"] == report_file(report, form, viewer=developer).digest


def test_download_report_of_an_unfinished_one_says_so(client_of, validator, version):
    report = factory.requested_report(version, validator)
    path = reverse("validation:download_report", args=[report.pk])

    response = client_of(validator).get(path, {"format": "pdf"})

    assert response.status_code == 409
    assert "has no result yet" in response.content.decode()
    assert not AuditEvent.objects.filter(type="report.downloaded").exists()


def test_download_report_in_an_unknown_form_names_those_there_are(report, validator):
    with pytest.raises(Invalid, match="html, pdf, json"):
        actions.download_report(report=report, form="docx", by=validator)


def test_download_report_over_rest(api_of, developer, report):
    path = reverse("v1:download_report", args=[report.pk])

    response = api_of(developer).get(path, {"format": "json"})

    assert response.content == written(report, developer, "json")
    assert api_of(developer).get(path).status_code == 422


def test_full_report_of_an_unfinished_one_says_so(client_of, validator, version):
    report = factory.requested_report(version, validator)

    page = client_of(validator).get(reverse("validation:full_report", args=[report.pk]))

    assert page.status_code == 409
