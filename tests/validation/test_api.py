import pytest
from django.urls import reverse

from apps.jobs.models import JobStatus
from apps.validation.models import ValidationPlan
from tests.counting import queries_of
from tests.factories import registry
from tests.factories import validation as factory


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


@pytest.fixture
def api(api_of, validator):
    return api_of(validator)


@pytest.fixture
def plans_path(version):
    return reverse(
        "v1:validation_plans", args=[version.project.slug, version.model.name]
    )


@pytest.fixture
def reports_path(version):
    arguments = [version.project.slug, version.model.name, version.number]
    return reverse("v1:validation_reports", args=arguments)


def post(api, path, data):
    return api.post(path, data, content_type="application/json")


def test_write_plan_answers_where_it_is(api, plans_path):
    criterion = {"measure": "recall", "operator": ">=", "threshold": 0.7}

    response = post(api, plans_path, {"criteria": [criterion]})

    assert response.status_code == 201
    assert response.json()["criteria"] == [{**criterion, "blocking": True}]
    read = api.get(response["Location"])
    assert read.json() == response.json()
    assert (
        api.get(
            response["Location"], headers={"If-None-Match": read["ETag"]}
        ).status_code
        == 304
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "criteria"),
        ({"criteria": "recall"}, "criteria"),
        ({"criteria": [{"measure": "recall"}]}, "criteria"),
        ({"criteria": factory.CRITERIA, "reason": "a\x00b"}, "reason"),
        ({"criteria": factory.CRITERIA, "subgroup_columns": ["x"]}, "subgroup_columns"),
        (
            {"criteria": [{**factory.CRITERIA[0], "threshold": 7}]},
            "criteria[0].threshold",
        ),
    ],
)
def test_write_plan_names_the_field_at_fault(api, plans_path, data, field):
    response = post(api, plans_path, data)

    assert response.status_code == 422
    assert field in response.json()["fields"]
    assert not ValidationPlan.objects.exists()


def test_plans_are_paged_newest_first(api, plans_path, version, validator):
    factory.plan(version.model, validator)
    factory.plan(version.model, validator, factory.CRITERIA[:1])

    first = api.get(plans_path, {"limit": 1}).json()
    second = api.get(first["next"]).json()

    assert [plan["number"] for plan in first["results"]] == [2]
    assert [plan["number"] for plan in second["results"]] == [1]
    assert second["next"] is None


def test_request_report_answers_with_a_status_address(
    api, reports_path, version, validator
):
    factory.plan(version.model, validator)

    response = post(api, reports_path, {})

    assert response.status_code == 202
    assert response["Location"] == response.json()["status_url"]
    assert api.get(response["Location"]).json()["status"] == "queued"
    again = post(api, reports_path, {})
    assert again.status_code == 409
    assert again.json()["error"] == "wrong_state"


def test_report_says_everything(api, version, validator):
    report = factory.finished_report(version, validator)

    body = api.get(reverse("v1:validation_report", args=[report.pk])).json()

    assert body["status"] == "succeeded"
    assert body["verdict"] == "pass"
    assert body["checks"] == report.result["checks"]
    assert body["result_digest"] == report.result_digest
    assert body["spec"]["cost"] == {"false_alarm": 2.0, "miss": 20.0}


def test_cancel_report_ends_a_waiting_one(api, version, validator):
    report = factory.requested_report(version, validator)

    response = post(api, reverse("v1:cancel_report", args=[report.pk]), {})

    assert response.status_code == 202
    assert response.json()["status"] == JobStatus.CANCELLED


def test_reports_cost_the_same_however_many_there_are(
    api, reports_path, version, validator
):
    factory.finished_report(version, validator)
    few = queries_of(lambda: api.get(reports_path))
    for _ in range(3):
        factory.finished_report(version, validator)

    assert queries_of(lambda: api.get(reports_path)) == few
    assert len(api.get(reports_path).json()["results"]) == 4
