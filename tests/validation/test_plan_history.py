"""A change of criteria is visible as such: before, after, and what had been seen."""

import pytest
from django.urls import reverse

from apps.validation.plan_history import Shift, changes_between, steps_to
from tests.costs import queries_of
from tests.factories import registry
from tests.factories import validation as factory


def criterion(measure="recall", threshold=0.7, blocking=True):
    operator = "<=" if measure == "brier" else ">="
    return {
        "measure": measure,
        "operator": operator,
        "threshold": threshold,
        "blocking": blocking,
    }


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


@pytest.mark.parametrize(
    ("before", "after", "shift"),
    [
        (criterion(), criterion(threshold=0.6), Shift.EASED),
        (criterion(), criterion(threshold=0.8), Shift.TIGHTENED),
        (criterion(), criterion(blocking=False), Shift.EASED),
        (criterion(blocking=False), criterion(), Shift.TIGHTENED),
        (criterion(), criterion(threshold=0.9, blocking=False), Shift.MIXED),
        (criterion("brier", 0.1), criterion("brier", 0.2), Shift.EASED),
        (criterion("brier", 0.2), criterion("brier", 0.1), Shift.TIGHTENED),
    ],
)
def test_which_way_a_change_goes(before, after, shift):
    (change,) = changes_between([before], [after])
    assert change.shift == shift
    assert change.asks_less == (shift != Shift.TIGHTENED)


def test_before_and_after_are_said():
    (change,) = changes_between([criterion()], [criterion(threshold=0.6)])
    assert (change.title, change.before, change.after) == (
        "Recall",
        "must be at least 0.7",
        "must be at least 0.6",
    )


def test_what_came_and_went_and_stayed():
    changes = changes_between(
        [criterion(), criterion("precision")], [criterion(), criterion("brier", 0.1)]
    )
    assert [(one.title, one.shift) for one in changes] == [
        ("Brier score", Shift.ADDED),
        ("Precision", Shift.REMOVED),
    ]
    assert (changes[0].before, changes[1].after) == ("", "")


def test_a_measure_that_stands_twice_is_compared_duty_by_duty():
    must, should = criterion(threshold=0.6), criterion(threshold=0.8, blocking=False)
    (change,) = changes_between(
        [must, should], [criterion(threshold=0.9, blocking=False), must]
    )
    assert (change.before, change.after) == (
        "should be at least 0.8",
        "should be at least 0.9",
    )


def test_steps_name_who_why_and_what_had_been_seen(version, validator):
    factory.plan(version.model, validator, [criterion()])
    factory.plan(version.model, validator, [criterion(threshold=0.65)])
    factory.finished_report(version, validator)
    factory.requested_report(version, validator).delete()
    third = factory.plan(
        version.model,
        validator,
        [criterion(threshold=0.5)],
        reason="Missed by a hair.",
        subgroup_columns=["speed"],
    )

    newest, oldest = steps_to(third)

    assert (newest.plan, newest.reports_seen) == (third, 1)
    assert newest.plan.written_by == validator
    assert newest.eased_after_results
    assert newest.columns_added == ["speed"]
    assert (oldest.plan.number, oldest.reports_seen) == (2, 0)
    assert not oldest.eased_after_results


def test_a_report_says_that_its_plan_asks_less(version, validator, client_of, api_of):
    first = factory.finished_report(version, validator)
    factory.plan(
        version.model, validator, [criterion(threshold=0.2)], reason="Missed by a hair."
    )
    second = factory.finished_report(version, validator)

    browser = client_of(validator)
    page = browser.get(second.get_absolute_url()).text
    full = browser.get(reverse("validation:full_report", args=[second.pk])).text
    former = browser.get(first.get_absolute_url()).text
    api = api_of(validator)
    body = api.get(reverse("v1:validation_report", args=[second.pk])).json()
    plan = api.get(reverse("v1:validation_plan", args=[second.plan_id])).json()

    assert "Plan 2 eases or drops criteria of the plan before" in page
    assert reverse("validation:full_report", args=[second.pk]) + "#plan" in page
    assert "must be at least 0.6" in full
    assert "Missed by a hair." in full
    assert "eases or drops" not in former
    assert body["plan_changes"] == plan["changes"]
    assert body["plan_changes"][0]["criteria"][0] == {
        "title": "Recall",
        "before": "must be at least 0.6",
        "after": "must be at least 0.2",
        "shift": "eased",
    }


def test_the_page_of_a_plan_tells_its_history_at_one_cost(
    version, validator, client_of
):
    client = client_of(validator)
    factory.plan(version.model, validator, [criterion()])
    second = factory.plan(version.model, validator, [criterion(threshold=0.65)])
    few = queries_of(client, second.get_absolute_url())
    for threshold in (0.6, 0.7, 0.8):
        last = factory.plan(version.model, validator, [criterion(threshold=threshold)])

    assert queries_of(client, last.get_absolute_url()) == few
    page = client.get(last.get_absolute_url()).text
    assert page.count("before any report had a result") == 4
