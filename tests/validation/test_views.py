from pathlib import Path

import pytest
from django.urls import reverse

from apps.core.sandbox import Outcome
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus
from apps.projects.actions import access
from apps.validation.models import ValidationPlan, ValidationReport
from tests.counting import queries_of
from tests.factories import registry
from tests.factories import validation as factory

HTMX = {"HX-Request": "true"}
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


@pytest.fixture
def client(client_of, validator):
    return client_of(validator)


def address(name: str, version, *more) -> str:
    return reverse(
        f"validation:{name}", args=[version.project.slug, version.model.name, *more]
    )


def full(report) -> str:
    return reverse("validation:full_report", args=[report.pk])


def filled(**changes) -> dict[str, str]:
    row = {"measure_0": "recall", "threshold_0": "0.7", "blocking_0": "on"}
    return {**row, "reason": "", **changes}


class TestPlans:
    def test_write_plan_ignores_empty_rows(self, client, version):
        later_row = {"measure_5": "brier", "threshold_5": "0.1"}

        response = client.post(
            address("write_plan", version),
            filled(subgroup_columns=["species"], **later_row),
        )

        plan = ValidationPlan.objects.get()
        assert response.status_code == 302
        assert response.url == plan.get_absolute_url()
        assert [c["operator"] for c in plan.criteria] == [">=", "<="]
        assert plan.subgroup_columns == ["species"]

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"threshold_0": ""}, "Give the threshold"),
            ({"measure_0": ""}, "Choose a measure"),
            ({"measure_0": "", "threshold_0": ""}, "at least one criterion"),
            ({"threshold_0": "7"}, "between 0 and 1"),
            ({"threshold_0": "much"}, "Enter a number"),
            ({"measure_0": "rmse"}, "Select a valid choice"),
            ({"subgroup_columns": "altitude"}, "Select a valid choice"),
            ({"reason": "a\x00b"}, "Null characters are not allowed"),
            ({"reason": "x" * 4001}, "at most 4000"),
        ],
    )
    def test_write_plan_explains_what_is_wrong(
        self, client, version, changes, sentence
    ):
        response = client.post(address("write_plan", version), filled(**changes))

        assert response.status_code == 422
        assert sentence in response.content.decode()
        assert not ValidationPlan.objects.exists()

    def test_write_plan_shows_a_fault_in_the_row_that_has_it(self, client, version):
        data = {"measure_3": "recall", "threshold_3": "7", "blocking_3": "on"}

        response = client.post(address("write_plan", version), data)

        assert set(response.context["form"].errors) == {"threshold_3"}

    def test_write_plan_after_a_report_asks_for_the_reason(
        self, client, version, validator
    ):
        factory.requested_report(version, validator)

        response = client.post(address("write_plan", version), filled())

        assert response.status_code == 422
        assert "reason" in response.context["form"].errors

    def test_write_plan_that_changes_nothing_says_so(self, client, version, validator):
        factory.plan(version.model, validator, factory.CRITERIA[:1])

        response = client.post(
            address("write_plan", version), filled(threshold_0="0.6")
        )

        assert response.status_code == 422
        assert "Plan 1 says exactly this already" in response.content.decode()

    def test_write_plan_begins_with_proposals(self, client, version):
        response = client.get(address("write_plan", version))

        first = response.context["form"].rows()[0]
        assert first.measure.value() == "mission_cost_per_1000"
        assert first.threshold.value() == 1200.0

    def test_write_plan_begins_with_the_present_plan(self, client, version, validator):
        factory.plan(version.model, validator, subgroup_columns=["species"])

        form = client.get(address("write_plan", version)).context["form"]

        assert form.rows()[1].measure.value() == "brier"
        assert form["subgroup_columns"].value() == ["species"]

    def test_plan_shows_criteria_in_words_and_escapes_the_reason(
        self, client, version, validator
    ):
        plan = factory.plan(version.model, validator, reason=SCRIPT)

        page = client.get(plan.get_absolute_url()).content.decode()

        assert "Recall at least 0.6 — must hold" in page
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page

    def test_plan_that_was_replaced_says_so(self, client, version, validator):
        first = factory.plan(version.model, validator)
        factory.plan(version.model, validator, factory.CRITERIA[:1])

        page = client.get(first.get_absolute_url()).content.decode()

        assert "This plan was replaced" in page

    def test_plans_cost_the_same_however_many_there_are(
        self, client, version, validator
    ):
        factory.plan(version.model, validator)
        path = address("plans", version)
        few = queries_of(lambda: client.get(path))
        for hundredth in range(50, 75):
            criterion = {**factory.CRITERIA[0], "threshold": hundredth / 100}
            factory.plan(version.model, validator, [criterion])

        assert queries_of(lambda: client.get(path)) == few
        page = client.get(path)
        assert len(page.context["page"].rows) == 20
        cursor = page.context["page"].next_cursor
        older = client.get(path, {"after": cursor}).context["page"]
        assert [plan.number for plan in older.rows] == [6, 5, 4, 3, 2, 1]

    def test_plans_without_any_say_what_comes_here(self, client, version):
        page = client.get(address("plans", version)).content.decode()

        assert "No validation plan yet" in page


class TestReports:
    def test_request_report_leads_to_its_page(self, client, version, validator):
        factory.plan(version.model, validator)

        response = client.post(address("request_report", version, version.number))

        assert response.url == ValidationReport.objects.get().get_absolute_url()

    def test_request_report_without_a_plan_explains(self, client, version):
        response = client.post(address("request_report", version, version.number))

        assert response.status_code == 409
        assert "Write a validation plan first" in response.content.decode()

    def test_full_report_that_passes_decides_first(self, client, version, validator):
        report = factory.finished_report(version, validator)

        page = client.get(full(report)).content.decode()

        assert page.index("1 criterion that must hold is met.") < page.index("Recall")
        assert "900" in page
        assert "78\N{NO-BREAK SPACE}% less" in page
        assert report.result_digest in page
        assert "too few to conclude anything" in page

    @pytest.mark.parametrize(
        ("verdict", "sentence"),
        [
            ("fail", "1 of 1 criterion that must hold is missed"),
            ("not_tested", "1 of 1 criterion that must hold is not tested"),
        ],
    )
    def test_full_report_that_does_not_pass_says_why(
        self, client, version, validator, verdict, sentence
    ):
        report = factory.finished_report(version, validator, verdict)

        assert sentence in client.get(full(report)).content.decode()

    def test_full_report_escapes_what_comes_from_data(self, client, version, validator):
        group = {**factory.RESULT["subgroups"][0]["groups"][0], "group": SCRIPT}
        report = factory.finished_report(
            version,
            validator,
            subgroups=[{"column": SCRIPT, "groups": [group]}],
            importance=[{"feature": SCRIPT, "mean": 0.1, "std": 0.0}],
            confusion={"labels": [SCRIPT, "yes"], "matrix": [[118, 42], [12, 28]]},
        )

        page = client.get(full(report)).content.decode()

        assert "<script>alert" not in page

    def test_full_report_of_a_regression_has_no_mission(
        self, client, version, validator
    ):
        report = factory.finished_report(
            version,
            validator,
            positives=None,
            threshold=None,
            confusion=None,
            curves=None,
            mission=None,
            subgroups=[],
            importance=[],
        )

        page = client.get(full(report))

        assert page.status_code == 200
        assert page.context["quality"] == []
        assert 'href="#subgroups"' not in page.content.decode()

    def test_report_that_was_overtaken_links_to_the_newer(
        self, client, version, validator
    ):
        first = factory.finished_report(version, validator)
        second = factory.finished_report(version, validator)

        page = client.get(first.get_absolute_url()).content.decode()

        assert "This report was superseded" in page
        assert second.get_absolute_url() in page

    def test_report_says_that_the_plan_changed_since(self, client, version, validator):
        report = factory.finished_report(version, validator)
        factory.plan(version.model, validator, factory.CRITERIA[:1], reason="New.")

        page = client.get(report.get_absolute_url()).content.decode()

        assert "This report was judged by plan 1" in page

    def test_full_report_hides_a_restricted_dataset(
        self, client_of, developer, version, validator, data_scientist
    ):
        report = factory.finished_report(version, validator)
        data = version.run.dataset_version.dataset
        type(data).objects.filter(pk=data.pk).update(is_restricted=True)

        page = client_of(developer).get(full(report)).content.decode()

        assert "a dataset that you cannot see" in page
        assert str(version.run.dataset_version) not in page

    def test_report_that_failed_shows_the_sentence(self, client, version, validator):
        report = factory.failed_report(version, validator)

        page = client.get(report.get_absolute_url()).content.decode()

        assert "a value that the model does not know" in page

    def test_report_that_was_cancelled_says_so(self, client, version, validator):
        report = factory.requested_report(version, validator)
        cancel_job(job=report, by=validator)

        page = client.get(report.get_absolute_url()).content.decode()

        assert "cancelled before it had a result" in page

    def test_report_of_a_restricted_model_is_not_there(
        self, client_of, developer, version, validator, data_scientist
    ):
        report = factory.finished_report(version, validator)
        access.restrict(thing=version.model, by=data_scientist)

        assert client_of(developer).get(report.get_absolute_url()).status_code == 404

    def test_report_progress_polls_until_the_end(self, client, version, validator):
        report = factory.running_report(version, validator)
        path = reverse("validation:report_progress", args=[report.pk])

        running = client.get(path, headers=HTMX)
        factory.finish(report, Outcome("cancelled", Path()))
        ended = client.get(path, headers=HTMX)

        assert 'hx-trigger="every 2s"' in running.content.decode()
        assert ended["HX-Refresh"] == "true"

    def test_cancel_report_of_a_running_one_waits_for_the_worker(
        self, client, version, validator
    ):
        report = factory.running_report(version, validator)

        response = client.post(
            reverse("validation:cancel_report", args=[report.pk]), follow=True
        )

        assert "the worker stops in a moment" in response.content.decode()
        report.refresh_from_db()
        assert report.status == JobStatus.RUNNING
