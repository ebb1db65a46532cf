import pytest

from apps.jobs.models import JobStatus
from apps.validation import tasks
from apps.validation.models import ValidationReport
from tests.factories import registry
from tests.factories import validation as factory


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def test_compute_report_of_a_damaged_model_fails_with_a_sentence(version, validator):
    report = factory.requested_report(version, validator)

    tasks.compute_report(pk=str(report.pk))

    report.refresh_from_db()
    assert report.status == JobStatus.FAILED
    assert report.failure_code == "bad_input"
    assert report.failure_message


def test_compute_report_delivered_twice_has_one_effect(version, validator):
    report = factory.running_report(version, validator)

    tasks.compute_report(pk=str(report.pk))

    assert ValidationReport.objects.get(pk=report.pk).claim_id == report.claim_id
