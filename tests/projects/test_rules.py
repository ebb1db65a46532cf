import pytest

from apps.projects import actions, rules
from tests.factories import people
from tests.permission_rows import PEOPLE

MANAGER = "Only a program manager of this project can do this."
OFFICIAL = "Only an AI official of this project can do this."


@pytest.mark.parametrize("person", PEOPLE)
def test_can_create_project(world, person):
    decision = rules.can_create_project(getattr(world, person))

    assert decision.allowed == (person == "program_manager")
    if not decision.allowed:
        assert decision.reason == (
            "Only a program manager can open a project. An administrator gives that "
            "role."
        )


@pytest.mark.parametrize(
    ("rule", "who", "reason"),
    [
        (rules.can_edit_project, "program_manager", MANAGER),
        (rules.can_state_objective, "program_manager", MANAGER),
        (rules.can_manage_members, "program_manager", MANAGER),
        (rules.can_add_member, "program_manager", MANAGER),
        (rules.can_determine_impact, "ai_official", OFFICIAL),
    ],
)
@pytest.mark.parametrize("person", PEOPLE)
def test_rules_about_a_project(world, rule, who, reason, person):
    decision = rule(getattr(world, person), world.project)

    assert decision.allowed == (person == who)
    assert decision.reason == ("" if person == who else reason)


@pytest.mark.parametrize("rule", [rules.can_change_role, rules.can_remove_member])
@pytest.mark.parametrize("person", PEOPLE)
def test_rules_about_a_member(world, rule, person):
    membership = world.project.memberships.get(user=world.data_scientist)

    decision = rule(getattr(world, person), membership)

    assert decision.allowed == (person == "program_manager")
    if person == "data_scientist" and rule is rules.can_change_role:
        assert decision.reason.startswith("You cannot change your own role")
    elif not decision:
        assert decision.reason == MANAGER


def test_nobody_changes_the_own_role(world):
    own = world.project.memberships.get(user=world.program_manager)

    decision = rules.can_change_role(world.program_manager, own)

    assert decision.reason == (
        "You cannot change your own role; another program manager can."
    )


def test_the_last_program_manager_stays(world):
    own = world.project.memberships.get(user=world.program_manager)
    alone = rules.can_remove_member(world.program_manager, own)

    actions.add_member(
        project=world.project,
        person=people.person("second@agency.example"),
        role="program_manager",
        by=world.program_manager,
    )

    assert alone.reason == "A project keeps at least one program manager."
    assert rules.can_remove_member(world.program_manager, own)
