"""A plan can start from a template that fits the impact of the project."""

from typing import get_args

import pytest
from django.urls import reverse

from apps.projects.actions import determine_impact
from apps.validation.criteria import OPERATORS, check_criteria
from apps.validation.models import ValidationPlan
from apps.validation.plan_templates import (
    PlanTemplateFaulty,
    plan_templates,
    read_template,
    start_from,
)
from apps.validation.plan_templates.files import FOLDER
from engine.spec import PROMISES, Task
from tests.factories import registry
from tests.factories import validation as factory

LOW = (FOLDER / "low_impact.yaml").read_text(encoding="utf-8")
FIRST = "{measure: mission_cost_per_1000, threshold: target}"
SAFETY = "{measure: file_safety, threshold: 1}"


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def address(version) -> str:
    place = [version.project.slug, version.model.name]
    return reverse("validation:write_plan", args=place)


@pytest.mark.parametrize("task", get_args(Task))
@pytest.mark.parametrize("name", ["low_impact", "high_impact"])
def test_shipped_templates_say_what_a_plan_can_say(name, task):
    template = plan_templates()[name]
    raw = [
        {
            "measure": one.measure,
            "operator": OPERATORS[PROMISES[one.measure].better],
            "threshold": 0.5 if isinstance(one.threshold, str) else one.threshold,
            "blocking": one.blocking,
        }
        for one in template.criteria_for(task)
    ]
    assert len(check_criteria(raw, task)) == len(raw) > 3


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("version: 1", "version: 0", "whole number from 1"),
        ("title: Low impact", "titel: Low impact", "titel: is not a known field"),
        ("file_safety, thr", "file_safty, thr", r"criteria\[5\] names file_safty"),
        (SAFETY, "{measure: file_safety, threshold: 3}", "between 0 and 1"),
        (SAFETY, "{measure: file_safety, threshold: much}", "must be a number"),
        (SAFETY, "{measure: file_safety, threshold: target}", "only mission_cost"),
        (SAFETY, "{measure: file_safety, threshold: baseline}", "has no baseline"),
        (SAFETY, "{measure: brier, threshold: 0.1}", "brier stands twice"),
        ("name: low_impact", "name: [", "cannot be read"),
    ],
)
def test_a_faulty_template_says_where_and_why(before, after, sentence):
    assert LOW.count(before) == 1
    with pytest.raises(PlanTemplateFaulty, match=sentence):
        read_template(LOW.replace(before, after))


def test_a_template_has_something_that_must_hold_for_each_task():
    head = LOW.split("criteria:")[0]
    only = "criteria: [{measure: recall, threshold: 0.5}]"
    with pytest.raises(PlanTemplateFaulty, match="must hold of a multiclass model"):
        read_template(head + only)


def test_a_template_has_no_more_criteria_than_a_plan():
    head = LOW.split("criteria:")[0]
    row = "  - {measure: accuracy, threshold: 0.5}\n"
    with pytest.raises(PlanTemplateFaulty, match="at most 20 criteria; 21 apply"):
        read_template(f"{head}criteria:\n{row * 21}")


def test_start_has_the_target_and_leaves_out_what_is_not_known(version):
    start = start_from(plan_templates()["low_impact"], version)
    assert start.criteria[0] == {
        "measure": "mission_cost_per_1000",
        "operator": "<=",
        "threshold": 1200.0,
        "blocking": True,
    }
    assert start.left_out == ["Average precision", "Brier score", "Balanced accuracy"]


def test_start_without_objective_beats_the_baseline(project, data_scientist):
    project.objective.delete()
    metrics = {"baseline.brier": 0.09449, "baseline.rmse": 3.0, "test.brier": 0.01}
    version = registry.model_version(
        project, data_scientist, result={"metrics": metrics}
    )

    start = start_from(plan_templates()["low_impact"], version)

    assert start.criteria[0] == {
        "measure": "brier",
        "operator": "<=",
        "threshold": 0.0945,
        "blocking": True,
    }
    assert "rmse" not in {one["measure"] for one in start.criteria}
    assert start.left_out[0] == "Mission cost per 1,000 cases"


def test_the_form_starts_from_what_fits_the_impact(
    version, project, client_of, validator, ai_official
):
    client = client_of(validator)
    low = client.get(address(version)).context["start"]["template"].name
    determine_impact(
        project=project, impact="high", reason="People fly.", by=ai_official
    )
    high = client.get(address(version)).context["start"]["template"].name
    assert (low, high) == ("low_impact", "high_impact")


def test_the_form_starts_from_a_template_when_asked(version, client_of, validator):
    factory.plan(version.model, validator)
    client = client_of(validator)

    present = client.get(address(version))
    other = client.get(address(version), {"start": "high_impact"})

    assert present.context["form"].rows()[0].measure.value() == "recall"
    assert "the plan in force" in present.text
    measures = {row.measure.value() for row in other.context["form"].rows()}
    assert {"recall_difference", "regeneration"} <= measures
    assert "Choose the columns" in other.text
    assert "Left out" in other.text
    assert client.get(address(version), {"start": "none"}).status_code == 404


def test_a_plan_is_written_from_a_template(version, client_of, validator):
    client = client_of(validator)
    place = f"{address(version)}?start=high_impact"
    form = client.get(place).context["form"]
    data = {
        name: "on" if name.startswith("blocking") and value else value
        for row in form.rows()
        for name, value in ((field.name, field.value()) for field in row)
        if value not in (None, False)
    }

    answer = client.post(place, {**data, "subgroup_columns": ["species"]})

    assert answer.status_code == 302
    plan = ValidationPlan.objects.get()
    assert (
        plan.criteria == start_from(plan_templates()["high_impact"], version).criteria
    )
