import pytest

from apps.core.status import Kind
from apps.validation.models import ValidationPlan, ValidationReport
from tests.factories import registry
from tests.factories import validation as factory


@pytest.fixture
def report(project, data_scientist, validator):
    version = registry.model_version(project, data_scientist)
    return factory.requested_report(version, validator)


def test_names_say_what_they_belong_to(report):
    assert str(report.plan) == "validation plan 1 of inspection/damage"
    assert str(report) == "validation report 1 of inspection/damage version 1"
    assert report.plan.title == "Validation plan 1"
    assert report.title == "Validation report 1"


def test_a_report_without_verdict_is_neutral(report):
    assert report.verdict_kind == Kind.NEUTRAL
    report.verdict = "not_tested"
    assert report.verdict_kind == Kind.WARNING


def test_plans_and_reports_are_seen_by_who_sees_the_model(report, world):
    for person, seen in ((world.developer, 1), (world.auditor, 1), (world.outsider, 0)):
        assert ValidationPlan.objects.visible_to(person).count() == seen
        assert ValidationReport.objects.visible_to(person).count() == seen


def test_objects_know_their_project(report, project):
    assert report.project == report.plan.project == project
