import pytest

from apps.approvals import actions, rules
from apps.approvals.policies import SHIPPED, PolicyFaulty, read_policy, shipped_text
from apps.core.errors import Invalid, WrongState
from apps.registry.actions import edit_card
from apps.registry.models import CARD_SECTIONS
from tests.factories import approvals, exceptions, policies
from tests.factories.people import PASSWORD

STANDARD = shipped_text("standard")


def test_the_standard_policy_gives_the_standard_stages_in_order():
    policy = read_policy(STANDARD)

    assert [(stage.role, stage.required) for stage in policy.stages] == [
        ("validator", 1),
        ("operations_manager", 1),
        ("program_manager", 1),
    ]
    assert policy.to_json()["stages"][0]["meaning"] == "Independently validated"


def test_there_are_only_the_policies_that_the_portal_comes_with():
    with pytest.raises(KeyError):
        shipped_text("../policies/standard")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            "role: validator",
            "role: auditor",
            "Line 15: .auditor. cannot stand in stages.0..role.",
        ),
        ("required: 1", "required: 0", "Line 16: Technical review must require 1"),
        ("version: 2", "version: 0", "whole number from 1"),
        ("version: 2", "version: one", "Line 4: version must be a whole number"),
        ("meaning: Ready to operate", "meaning: ''", "title and a meaning"),
        ("required: 1", "needed: 1", "Line 16: stages.0..needed is not a known field"),
        ("stages:", "stages: []\nsteps:", "steps is not a known field"),
        ("name: standard", "name: [", "Line 5: "),
        ("request_days: 90", "request_days: 0", "request_days must be 1 to 3,650"),
        ("due_days: 10", "due_days: 9999", "stages.0..due_days must be"),
        ("max_days: 90", "max_days: -1", "conditions.max_days must be"),
        (
            "request_days:",
            "required_sections: [limitation]\nrequest_days:",
            "Did you mean limitations",
        ),
        ("request_days:", "required_checks: [x]\nrequest_days:", "Use one of"),
        ("due_days: 10", "comment: sometimes", "must be one of 'optional', 'always'"),
    ],
)
def test_read_policy_refuses_the_impossible(before, after, sentence):
    with pytest.raises(PolicyFaulty, match=sentence):
        read_policy(STANDARD.replace(before, after, 1))


def test_read_policy_without_stages_fails():
    with pytest.raises(PolicyFaulty, match="1 to 10 stages"):
        read_policy("{name: empty, version: 1, title: Empty, stages: []}")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_policy_that_is_shipped_can_be_read(name):
    assert read_policy(shipped_text(name)).name == name


def test_a_high_impact_project_asks_for_more(world):
    exceptions.high(world)
    version = approvals.validated_version(world)
    with pytest.raises(WrongState, match="sections of the model card, which are empty"):
        approvals.request(world, version)

    sections = dict.fromkeys(CARD_SECTIONS, "Said.")
    edit_card(version=version, sections=sections, by=world.data_scientist)
    with pytest.raises(WrongState, match="minimum practices that are neither met nor"):
        approvals.request(world, version)

    exceptions.state_all(version, world.data_scientist)
    approval = approvals.request(world, version)

    assert approval.policy["name"] == "high_impact"
    assert [stage.required for stage in approval.stages.order_by("position")] == [
        *(2, 1, 1)
    ]
    with pytest.raises(Invalid, match="signed with a comment"):
        actions.sign_off(
            approval=approval, comment="", password=PASSWORD, by=world.validator
        )
    approvals.sign(approval, world.validator)
    assert not approval.stages.earliest("position").completed_at


def test_a_policy_can_require_checks_of_the_report(world):
    version = approvals.validated_version(world)
    asked = "required_checks: [recall, f1]\nrequest_days:"
    policies.enacted(world, policies.text(("request_days:", asked)))

    decision = rules.can_request_approval(world.data_scientist, version)

    assert not decision
    assert "did not pass: F1" in decision.reason
