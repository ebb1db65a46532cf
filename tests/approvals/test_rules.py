import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.approvals import rules
from apps.approvals.waiting import waiting_for
from apps.projects import actions as projects
from apps.projects.actions import access
from apps.registry import actions as registry
from apps.registry.models import VersionState
from tests.factories import approvals, people, validation
from tests.factories import registry as registry_factory
from tests.guards import past_the_guards

MEMBERS = (
    "program_manager",
    "data_scientist",
    "validator",
    "operations_manager",
    "developer",
)
EVERYBODY = (*MEMBERS, "auditor", "ai_official", "administrator", "outsider", "worker")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (VersionState.DRAFT, "not validated yet"),
        (VersionState.IN_REVIEW, "is open"),
        (VersionState.APPROVED, "approved already"),
        (VersionState.REJECTED, "was rejected"),
    ],
)
def test_can_request_approval_says_what_is_missing(world, state, sentence):
    version = registry_factory.model_version(world.project, world.data_scientist)
    version.state = state

    decision = rules.can_request_approval(world.data_scientist, version)

    assert not decision
    assert sentence in decision.reason


def test_can_request_approval_only_when_the_newest_report_passed(world):
    version = approvals.validated_version(world)
    assert rules.can_request_approval(world.data_scientist, version)

    running = validation.running_report(version, world.validator)
    waiting = rules.can_request_approval(world.data_scientist, version)
    running.delete()
    with past_the_guards():
        version.validation_reports.update(verdict="fail")
    failed = rules.can_request_approval(world.data_scientist, version)

    assert "wait for its verdict" in waiting.reason
    assert "did not pass" in failed.reason


def test_can_request_approval_only_by_a_report_of_the_plan_in_force(world):
    version = approvals.validated_version(world)
    stricter = [{**validation.CRITERIA[0], "threshold": 0.65}]
    validation.plan(version.model, world.validator, stricter, reason="Too weak.")

    decision = rules.can_request_approval(world.data_scientist, version)

    assert "was made by plan 1" in decision.reason
    validation.finished_report(version, world.validator)
    assert rules.can_request_approval(world.data_scientist, version)


def test_can_request_approval_is_for_data_scientists(world):
    version = approvals.validated_version(world)

    allowed = {
        name
        for name in EVERYBODY
        if rules.can_request_approval(getattr(world, name), version)
    }

    assert allowed == {"data_scientist"}


@pytest.mark.parametrize(
    ("signed_by", "allowed"),
    [
        ((), {"validator"}),
        (("validator",), {"operations_manager"}),
        (("validator", "operations_manager"), {"program_manager"}),
        (("validator", "operations_manager", "program_manager"), set()),
    ],
)
def test_can_sign_off_is_for_one_role_at_a_time(world, signed_by, allowed):
    approval = approvals.sign(
        approvals.request(world), *[getattr(world, name) for name in signed_by]
    )

    decisions = {
        name: rules.can_sign_off(getattr(world, name), approval) for name in EVERYBODY
    }

    assert {name for name, decision in decisions.items() if decision} == allowed
    refused = [decision for decision in decisions.values() if not decision]
    assert all(decision.reason.endswith(".") for decision in refused)


def test_signers_lists_the_role_with_reasons(world):
    approval = approvals.request(world)
    membership = world.project.memberships.get(user=world.data_scientist)
    projects.change_role(
        membership=membership, role="validator", by=world.program_manager
    )

    found = {
        signer.person.full_name: signer.decision for signer in rules.signers(approval)
    }

    assert set(found) == {"Dan Data", "Vera Validator"}
    assert found["Vera Validator"]
    assert found["Dan Data"].reason.startswith("Dan Data uploaded its data on")


def edit_card(world, version, person):
    registry.edit_card(version=version, sections={"limitations": "None."}, by=person)


def make_author(world, *, writes_card: bool):
    """A validator; one who wrote the card as a data scientist before, if asked."""
    person = people.person("author@agency.example", "Aura Author")
    membership = projects.add_member(
        project=world.project,
        person=person,
        role="data_scientist",
        by=world.program_manager,
    )
    version = approvals.validated_version(world)
    if writes_card:
        edit_card(world, version, person)
    projects.change_role(
        membership=membership, role="validator", by=world.program_manager
    )
    return person, version


@pytest.mark.parametrize("writes_card", [True, False])
def test_inbox_and_rule_agree_about_the_author_of_the_card(world, writes_card):
    person, version = make_author(world, writes_card=writes_card)

    approval = approvals.request(world, version)

    assert bool(rules.can_reject(person, approval)) is not writes_card
    assert waiting_for(person).exists() is not writes_card


@pytest.mark.parametrize(
    ("signed", "role"),
    [
        (0, None),
        (1, None),
        (2, None),
        (3, None),
        (0, "validator"),
        (1, "operations_manager"),
    ],
)
def test_inbox_and_rule_agree_about_everybody(world, signed, role):
    signers = [world.validator, world.operations_manager, world.program_manager]
    approval = approvals.sign(approvals.request(world), *signers[:signed])
    if role:
        for person in (world.data_scientist, world.validator):
            membership = world.project.memberships.get(user=person)
            projects.change_role(
                membership=membership, role=role, by=world.program_manager
            )

    by_rule = {
        name for name in EVERYBODY if rules.can_reject(getattr(world, name), approval)
    }
    by_inbox = {
        name for name in EVERYBODY if waiting_for(getattr(world, name)).exists()
    }

    assert by_inbox == by_rule


def test_an_administrator_has_no_inbox_of_signatures(world):
    approval = approvals.request(world)
    projects.add_member(
        project=world.project,
        person=world.administrator,
        role="validator",
        by=world.program_manager,
    )

    assert not waiting_for(world.administrator).exists()
    assert "can never sign" in rules.can_reject(world.administrator, approval).reason


def test_the_number_of_waiting_requests_costs_one_query(world):
    approvals.request(world)
    waiting_for(world.validator).count()

    with CaptureQueriesContext(connection) as asked:
        count = waiting_for(world.validator).count()

    assert count == 1
    assert len(asked) == 1


def test_approval_of_a_restricted_model_is_asked_for_by_who_sees_it(world):
    approval = approvals.request(world)
    model = access.restrict(thing=approval.version.model, by=world.program_manager)
    access.revoke_grant(
        thing=model, person=world.data_scientist, by=world.program_manager
    )
    approval.version.model.refresh_from_db()

    decisions = [
        rules.can_request_approval(world.data_scientist, approval.version),
        rules.can_withdraw_request(world.data_scientist, approval),
    ]

    assert {decision.reason for decision in decisions} == {
        "You cannot see this restricted model without being given access."
    }


def test_signers_must_have_access_to_a_restricted_model(world):
    approval = approvals.request(world)
    access.restrict(thing=approval.version.model, by=world.program_manager)
    approval.version.model.refresh_from_db()

    decision = rules.can_sign_off(world.validator, approval)

    assert "You cannot see this restricted model" in decision.reason
    assert not waiting_for(world.validator).exists()
    assert not rules.signers(approval)[0].decision
    access.grant(
        thing=approval.version.model, person=world.validator, by=world.program_manager
    )
    assert rules.can_sign_off(world.validator, approval)
    assert waiting_for(world.validator).exists()
