import pytest

from apps.access.checks import Denied, NotNow
from apps.jobs.rules import can_cancel_job
from apps.projects.actions import access
from apps.registry.models import ModelVersion, VersionState
from apps.validation import rules
from tests.factories import registry
from tests.factories import validation as factory

PEOPLE = (
    "program_manager",
    "data_scientist",
    "validator",
    "operations_manager",
    "developer",
    "auditor",
    "ai_official",
    "administrator",
    "outsider",
    "worker",
)
JUDGES = ["data_scientist", "validator"]


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def allowed(rule, world, target) -> list[str]:
    """Name the people whom `rule` allows it; everybody else must be denied."""
    answers = {name: rule(getattr(world, name), target) for name in PEOPLE}
    refused = [answer for answer in answers.values() if not answer]
    assert all(isinstance(answer, Denied) for answer in refused)
    return [name for name, answer in answers.items() if answer]


def test_judges_write_plans_request_and_cancel_reports(world, version):
    assert allowed(rules.can_write_plan, world, version.model) == JUDGES
    factory.plan(version.model, world.validator)
    assert allowed(rules.can_request_report, world, version) == JUDGES
    report = factory.requested_report(version, world.validator)
    assert allowed(can_cancel_job, world, report) == JUDGES


def test_a_restricted_model_is_judged_by_who_sees_it(version, world):
    factory.plan(version.model, world.validator)
    version.model = access.restrict(thing=version.model, by=world.data_scientist)

    decisions = [
        rules.can_write_plan(world.validator, version.model),
        rules.can_request_report(world.validator, version),
    ]

    assert {decision.reason for decision in decisions} == {
        "You cannot see this restricted model without being given access."
    }


def test_can_request_report_without_plan_says_what_to_do(version, validator):
    decision = rules.can_request_report(validator, version)

    assert isinstance(decision, NotNow)
    assert "Write a validation plan first" in decision.reason


@pytest.mark.parametrize(
    "states",
    [
        [VersionState.IN_REVIEW],
        [VersionState.IN_REVIEW, VersionState.APPROVED],
        [VersionState.IN_REVIEW, VersionState.REJECTED],
    ],
)
def test_can_request_report_ends_with_the_review(
    version, validator, data_scientist, states
):
    factory.finished_report(version, validator)
    version.refresh_from_db()
    registry.moved(version, data_scientist, *states)

    decision = rules.can_request_report(validator, version)

    assert isinstance(decision, NotNow)
    assert "no longer changes" in decision.reason


def test_can_request_report_names_missing_files(version, validator):
    factory.plan(version.model, validator)
    registry.without_file(version, "test.parquet")

    decision = rules.can_request_report(validator, version)

    assert isinstance(decision, NotNow)
    assert "left no test.parquet" in decision.reason


@pytest.mark.parametrize(
    "signature",
    [
        {},
        {"task": "clustering", "target": "x", "positive_label": None},
        {"task": "binary", "target": "x", "positive_label": None},
        {"task": "regression", "target": 3, "positive_label": None},
        {"task": "regression", "target": "x", "positive_label": "yes"},
    ],
)
def test_a_model_that_does_not_say_what_it_predicts_is_not_judged(
    version, validator, signature
):
    factory.plan(version.model, validator)
    ModelVersion.objects.filter(pk=version.pk).update(signature=signature)
    version.refresh_from_db()

    for decision in (
        rules.can_write_plan(validator, version.model),
        rules.can_request_report(validator, version),
    ):
        assert isinstance(decision, NotNow)
        assert "does not say what it predicts" in decision.reason
