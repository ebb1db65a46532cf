from pathlib import Path

import pytest

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid, Refused, WrongState
from apps.core.sandbox import Outcome
from apps.jobs.models import JobStatus
from apps.registry.models import VersionState
from apps.validation import actions
from apps.validation.models import ValidationPlan, ValidationReport, Verdict
from tests.factories import registry
from tests.factories import validation as factory
from tests.factories.validation import CRITERIA


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


@pytest.fixture
def model(version):
    return version.model


@pytest.fixture
def running(version, validator):
    return factory.running_report(version, validator)


def events(event_type) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=event_type).order_by("pk"))


def succeeded(**changes) -> Outcome:
    result = factory.engine_result(**changes)
    return Outcome("succeeded", Path(), result=result)


class TestWritePlan:
    def test_write_plan_keeps_criteria_and_says_so(self, model, validator):
        plan = actions.write_plan(
            model=model,
            criteria=CRITERIA,
            subgroup_columns=["species"],
            reason="",
            by=validator,
        )

        assert plan.number == 1
        assert plan.criteria == CRITERIA
        (event,) = events(EventType.PLAN_WRITTEN)
        assert event.target_id == str(plan.pk)
        assert event.changes == {
            "criteria": [
                [],
                [
                    "Recall at least 0.6 — must hold",
                    "Brier score at most 0.2 — should hold",
                ],
            ],
            "subgroup_columns": [[], ["species"]],
            "terms": [[], plan.terms_in_words],
        }
        assert "A false alarm costs 2 hours" in plan.terms_in_words[0]

    def test_write_plan_again_records_only_what_differs(self, model, validator):
        factory.plan(model, validator, subgroup_columns=["species"])

        plan = factory.plan(
            model, validator, CRITERIA[:1], subgroup_columns=["species"]
        )

        assert plan.number == 2
        assert set(events(EventType.PLAN_WRITTEN)[-1].changes) == {"criteria"}

    def test_write_plan_with_the_same_content_is_invalid(self, model, validator):
        factory.plan(model, validator)

        with pytest.raises(Invalid, match="Plan 1 says exactly this already"):
            factory.plan(model, validator)

        assert ValidationPlan.objects.count() == 1

    def test_write_plan_after_a_report_needs_a_reason(self, model, version, validator):
        factory.requested_report(version, validator)

        with pytest.raises(Invalid) as caught:
            factory.plan(model, validator, CRITERIA[:1], reason="  ")

        assert set(caught.value.fields) == {"reason"}
        plan = factory.plan(model, validator, CRITERIA[:1], reason="Was too strict.")
        assert events(EventType.PLAN_WRITTEN)[-1].reason == plan.reason

    def test_write_plan_that_cannot_be_judged_leaves_no_trace(self, model, validator):
        with pytest.raises(Invalid) as caught:
            factory.plan(model, validator, [{**CRITERIA[0], "threshold": 7.0}])

        assert set(caught.value.fields) == {"criteria[0].threshold"}
        assert not events(EventType.PLAN_WRITTEN)

    @pytest.mark.parametrize("columns", [["altitude"], ["damaged"]])
    def test_write_plan_refuses_columns_that_tell_no_groups_apart(
        self, model, validator, columns
    ):
        with pytest.raises(Invalid, match="has no column") as caught:
            factory.plan(model, validator, subgroup_columns=columns)

        assert set(caught.value.fields) == {"subgroup_columns"}

    def test_write_plan_refuses_too_many_columns(self, model, validator, monkeypatch):
        monkeypatch.setattr("apps.validation.actions.plans.MAX_SUBGROUP_COLUMNS", 1)

        with pytest.raises(Invalid, match="at most 1"):
            factory.plan(model, validator, subgroup_columns=["species", "speed"])

    def test_write_plan_by_a_developer_is_refused(self, model, developer):
        with pytest.raises(Refused):
            factory.plan(model, developer)

        assert not ValidationPlan.objects.exists()


class TestRequestReport:
    def test_request_report_fixes_plan_spec_and_costs(self, version, validator):
        plan = factory.plan(version.model, validator, subgroup_columns=["species"])

        report = actions.request_report(version=version, by=validator)

        assert (report.number, report.plan, report.champion) == (1, plan, None)
        assert report.spec["criteria"] == CRITERIA
        assert report.spec["cost"] == {"false_alarm": 2.0, "miss": 20.0}
        assert report.spec["baseline_cost_per_1000"] == 2000.0
        assert report.spec["subgroup_columns"] == ["species"]
        assert report.cost_unit == "hours"
        (event,) = events(EventType.REPORT_REQUESTED)
        assert event.changes == {
            "plan": 1,
            "champion": "none",
            "evaluated_on": "held_out",
        }

    def test_request_report_sends_one_message_after_the_commit(
        self, version, validator, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks() as sent:
            factory.requested_report(version, validator)

        assert len(sent) == 1

    def test_request_report_of_a_challenger_names_the_champion(
        self, project, data_scientist, validator, worker
    ):
        champion = registry.champion(project, data_scientist)
        challenger = registry.model_version(project, data_scientist)

        report = factory.requested_report(challenger, validator)

        assert report.champion == champion

    def test_request_report_while_one_is_waiting_is_a_wrong_state(
        self, version, validator
    ):
        factory.requested_report(version, validator)

        with pytest.raises(WrongState, match="being computed already"):
            actions.request_report(version=version, by=validator)

        assert ValidationReport.objects.count() == 1

    def test_request_report_without_objective_has_no_cost(
        self, version, validator, project
    ):
        project.objective.delete()

        report = factory.requested_report(version, validator)

        assert report.spec["cost"] is None
        assert report.spec["baseline_cost_per_1000"] is None
        assert report.cost_unit == ""


class TestFinishReport:
    def test_finish_report_that_passes_validates_the_version(self, running):
        report = factory.finish(running, succeeded())

        report.version.refresh_from_db()
        assert report.status == JobStatus.SUCCEEDED
        assert report.verdict == Verdict.PASS
        assert report.version.state == VersionState.VALIDATED
        (event,) = events(EventType.REPORT_FINISHED)
        assert event.changes["verdict"] == "pass"
        assert len(events(EventType.MODEL_VERSION_MOVED)) == 1

    def test_finish_report_digests_what_the_database_gives_back(self, running):
        result = factory.engine_result(importance=[{"mean": -0.0, "std": 1e-9}])

        report = factory.finish(running, Outcome("succeeded", Path(), result=result))

        report.refresh_from_db()
        assert report.result_digest == canonical_digest(report.result)

    @pytest.mark.parametrize(
        "changes", [{"verdict": "splendid"}, {"rows": float("nan")}]
    )
    def test_finish_report_with_a_result_that_is_none_changes_nothing(
        self, running, changes
    ):
        with pytest.raises(ValueError, match=r"splendid|nan"):
            factory.finish(running, succeeded(**changes))

        running.refresh_from_db()
        assert running.status == JobStatus.RUNNING
        assert not events(EventType.REPORT_FINISHED)

    @pytest.mark.parametrize("verdict", ["fail", "not_tested"])
    def test_finish_report_that_does_not_pass_takes_the_standing_away(
        self, version, validator, verdict
    ):
        factory.finished_report(version, validator)

        factory.finished_report(version, validator, verdict)

        version.refresh_from_db()
        assert version.state == VersionState.DRAFT

    def test_finish_report_leaves_a_version_in_review_alone(
        self, version, validator, data_scientist
    ):
        factory.finished_report(version, validator)
        second = factory.running_report(version, validator)
        version.refresh_from_db()
        registry.moved(version, data_scientist, VersionState.IN_REVIEW)

        factory.finish(second, succeeded(verdict="fail"))

        version.refresh_from_db()
        assert version.state == VersionState.IN_REVIEW

    def test_finish_report_of_a_lost_claim_leaves_the_version_alone(
        self, version, running
    ):
        factory.finish(running, succeeded())

        late = factory.finish(running, succeeded(verdict="fail"))

        version.refresh_from_db()
        assert late is None
        assert version.state == VersionState.VALIDATED
