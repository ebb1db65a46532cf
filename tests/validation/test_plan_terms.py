"""What a plan fixes beside its criteria: rows that decide, champion and mission."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.urls import reverse

from apps.approvals import rules as approval_rules
from apps.approvals.evidence import evidence_of
from apps.core.errors import Invalid
from apps.core.sandbox import Outcome
from apps.jobs.actions import start_job
from apps.projects.actions import state_objective
from apps.registry.models import VersionState
from apps.validation import actions, queries
from apps.validation.document import report_document
from apps.validation.models import Rows, ValidationPlan, ValidationReport
from apps.validation.plan_history import steps_to
from tests.factories import approvals, projects, registry, sealed
from tests.factories import validation as factory

CRITERIA = factory.CRITERIA


def plan(world, version, **terms):
    return factory.plan(
        version.model,
        world.validator,
        reason="Set.",
        terms=actions.PlanTerms(**terms),
    )


def restate(world, **changes):
    state_objective(
        project=world.project,
        statement=replace(projects.OBJECTIVE, **changes),
        by=world.program_manager,
    )


def test_the_mission_is_fixed_with_the_plan(world):
    version = registry.model_version(world.project, world.data_scientist)
    restate(world, miss_cost=100.0, unit="hours")
    first = plan(world, version)
    restate(world, miss_cost=7.0)

    report = factory.requested_report(version, world.validator)

    assert report.spec["cost"]["miss"] == 100.0
    assert report.cost_unit == "hours"
    assert "a miss 100" in first.terms_in_words[0]
    assert queries.mission_now(world.project)["miss_cost"] == 7.0


def test_a_new_plan_with_the_same_criteria_takes_the_new_mission(world, client_of):
    version = registry.model_version(world.project, world.data_scientist)
    restate(world, miss_cost=100.0)
    first = plan(world, version)
    with pytest.raises(Invalid, match="says exactly this already"):
        plan(world, version)
    browser = client_of(world.validator)
    assert "not what it was" not in browser.get(first.get_absolute_url()).text
    restate(world, miss_cost=7.0)
    assert "not what it was" in browser.get(first.get_absolute_url()).text

    second = plan(world, version)

    (step,) = steps_to(second)
    assert "a miss 7" in step.terms_added[0]
    assert "a miss 100" in step.terms_removed[0]


def test_a_plan_names_the_version_to_compare_with(world):
    first = registry.model_version(world.project, world.data_scientist)
    second = registry.model_version(world.project, world.data_scientist)
    with pytest.raises(Invalid, match="Version 9 does not answer"):
        plan(world, second, champion=9)
    plan(world, second, champion=1)

    assert factory.requested_report(second, world.validator).champion == first
    assert factory.requested_report(first, world.validator).champion is None


def test_sealed_rows_cannot_decide_where_there_are_none(world):
    version = registry.model_version(world.project, world.data_scientist)

    with pytest.raises(Invalid, match="no sealed rows"):
        plan(world, version, sealed_decides=True)


def test_only_a_report_on_sealed_rows_decides_where_the_plan_says_so(world, client_of):
    version = sealed.model_version(world.project, world.data_scientist)
    plan(world, version, sealed_decides=True)

    held_out = factory.finished_report(version, world.validator)
    version.refresh_from_db()
    assert not held_out.decides
    assert version.state == VersionState.DRAFT
    page = client_of(world.validator).get(held_out.get_absolute_url()).text
    assert "By its plan only a report on the sealed rows" in page

    asked = actions.request_report(
        version=version, by=world.validator, evaluated_on=Rows.SEALED
    )
    running = start_job(model=ValidationReport, pk=asked.pk, by=world.worker)
    measured = Outcome("succeeded", Path(), result=factory.engine_result())
    decided = factory.finish(running, measured)
    version.refresh_from_db()
    assert decided.decides
    assert version.state == VersionState.VALIDATED
    assert approval_rules.can_request_approval(world.data_scientist, version)

    factory.finished_report(version, world.validator)
    refused = approval_rules.can_request_approval(world.data_scientist, version)
    assert "only a report on the sealed rows decides" in refused.reason


def test_terms_are_part_of_what_is_signed_and_of_the_document(world):
    version = approvals.validated_version(world)
    report = version.validation_reports.get()
    before = evidence_of(report, {})["plan"]["digest"]
    # A plan from before there were terms keeps the digest that was signed.
    assert ValidationPlan(criteria=CRITERIA).terms == {}

    restate(world, miss_cost=100.0)
    plan(world, version)
    again = factory.finished_report(version, world.validator)

    assert evidence_of(again, {})["plan"]["digest"] != before
    terms = report_document(again)["document"]["plan"]["terms"]
    assert terms["mission"]["miss_cost"] == 100.0


def test_rest_and_form_take_the_terms(world, api_of, client_of):
    version = sealed.model_version(world.project, world.data_scientist)
    place = [world.project.slug, version.model.name]
    wish = {"criteria": CRITERIA, "sealed_decides": True, "reason": "Set."}

    body = api_of(world.validator).post(
        reverse("v1:validation_plans", args=place),
        wish,
        content_type="application/json",
    )
    form = client_of(world.validator).get(reverse("validation:write_plan", args=place))

    assert body.status_code == 201, body.json()
    assert body.json()["sealed_decides"] is True
    assert body.json()["champion"] is None
    assert form.context["form"].initial["sealed_decides"] is True
