"""Plans and finished reports stay as they are; a newer report supersedes."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from apps.validation import queries
from apps.validation.models import ValidationPlan, ValidationReport
from tests.factories import registry
from tests.factories import validation as factory


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


@pytest.fixture
def finished(version, validator):
    return factory.finished_report(version, validator)


def refused(table_of: type, deed) -> None:
    with pytest.raises(DatabaseError, match="stay"), transaction.atomic():
        deed(table_of.objects.all())


@pytest.mark.parametrize(
    "change",
    [
        {"result": {}},
        {"result_digest": "0" * 64},
        {"verdict": "fail"},
        {"spec": {}},
        {"status": "failed"},
        {"plan": None},
        {"evaluated_on": "sealed"},
    ],
)
def test_a_finished_report_refuses_every_change(finished, change):
    refused(ValidationReport, lambda rows: rows.update(**change))


def test_a_finished_report_is_neither_deleted_nor_emptied(finished):
    refused(ValidationReport, lambda rows: rows._raw_delete(rows.db))
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute("TRUNCATE validation_validationreport CASCADE")


def test_what_says_nothing_of_the_result_can_change(finished):
    finished.log_tail = ""
    finished.save()
    finished.refresh_from_db()
    assert finished.log_tail == ""


def test_a_report_without_result_is_free(version, validator):
    waiting = factory.requested_report(version, validator)
    waiting.stage = "Waiting"
    waiting.save()
    waiting.delete()
    assert not ValidationReport.objects.exists()


def test_a_plan_refuses_every_change(version, validator):
    factory.plan(version.model, validator)
    refused(ValidationPlan, lambda rows: rows.update(criteria=[]))
    refused(ValidationPlan, lambda rows: rows._raw_delete(rows.db))


def test_the_newest_finished_report_is_current(version, validator, finished):
    newer = factory.finished_report(version, validator)
    factory.failed_report(version, validator)

    standing = {
        report.number: (report.is_current, report.superseded_by)
        for report in queries.reports_of(version)
    }

    assert standing == {3: (False, None), 2: (True, None), 1: (False, newer.pk)}


def test_page_and_api_say_which_report_is_current(
    version, validator, finished, client_of, api_of
):
    newer = factory.finished_report(version, validator)
    api = api_of(validator)
    place = [version.project.slug, version.model.name, version.number]

    page = client_of(validator).get(finished.get_absolute_url()).text
    listed = api.get(reverse("v1:validation_reports", args=place)).json()["results"]
    one = api.get(reverse("v1:validation_report", args=[finished.pk])).json()
    asked = api.post(reverse("v1:validation_reports", args=place)).json()

    assert "superseded" in page
    assert newer.get_absolute_url() in page
    assert [row["is_current"] for row in listed] == [True, False]
    assert one["superseded_by"] == str(newer.pk)
    assert (asked["is_current"], asked["superseded_by"]) == (False, None)
    assert "current" in client_of(validator).get(version.get_absolute_url()).text
