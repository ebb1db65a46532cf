from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.models import JobStatus
from apps.validation import tasks
from apps.validation.models import ValidationReport
from tests.factories import registry
from tests.factories import validation as factory


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


@pytest.fixture
def long_ago(settings):
    return timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS + 1)


def test_compute_report_of_a_damaged_model_fails_with_a_sentence(version, validator):
    report = factory.requested_report(version, validator)

    tasks.compute_report(report_id=str(report.pk))

    report.refresh_from_db()
    assert report.status == JobStatus.FAILED
    assert report.failure_code == "bad_input"
    assert report.failure_message


def test_compute_report_delivered_twice_has_one_effect(version, validator):
    report = factory.running_report(version, validator)

    tasks.compute_report(report_id=str(report.pk))

    assert ValidationReport.objects.get(pk=report.pk).claim_id == report.claim_id


def test_sweep_brings_back_the_dead_and_knocks_again(
    version, validator, long_ago, django_capture_on_commit_callbacks
):
    report = factory.running_report(version, validator)
    ValidationReport.objects.update(heartbeat_at=long_ago)

    with django_capture_on_commit_callbacks() as sent:
        tasks.sweep()

    report.refresh_from_db()
    assert report.status == JobStatus.QUEUED
    assert len(sent) == 1
    ValidationReport.objects.update(queued_at=long_ago)
    with django_capture_on_commit_callbacks() as sent:
        tasks.sweep()
        tasks.sweep()
    assert len(sent) == 1
