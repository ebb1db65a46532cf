from dataclasses import replace

import pytest

from apps.accounts import actions as accounts
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused
from apps.projects import actions
from apps.projects.models import Membership, Objective, Project
from tests.factories import people
from tests.factories.projects import OBJECTIVE
from tests.trail import (
    FailedHalfWay,
    no_room_for_events,
    nothing_recorded,
    one_event,
)

NEW = {"slug": "new", "name": "New", "mission": "To know more."}


def rows() -> list:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Project, Objective, Membership)
    ]


def member(project, person) -> Membership:
    return project.memberships.get(user=person)


# What each action changes in the world; asked of people who may and who may not.
CHANGES = {
    "edit_project": lambda world, by: actions.edit_project(
        project=world.project, values={"name": "Other"}, by=by
    ),
    "state_objective": lambda world, by: actions.state_objective(
        project=world.project, statement=replace(OBJECTIVE, target=1.0), by=by
    ),
    "determine_impact": lambda world, by: actions.determine_impact(
        project=world.project, impact="high", reason="Benefits.", by=by
    ),
    "add_member": lambda world, by: actions.add_member(
        project=world.project, person=world.outsider, role="developer", by=by
    ),
    "change_role": lambda world, by: actions.change_role(
        membership=member(world.project, world.developer), role="validator", by=by
    ),
    "remove_member": lambda world, by: actions.remove_member(
        membership=member(world.project, world.developer), by=by
    ),
    "create_project": lambda world, by: actions.create_project(**NEW, by=by),
}
MAY = {"determine_impact": "ai_official"}


@pytest.mark.parametrize("action", CHANGES)
@pytest.mark.parametrize(
    "person", ["data_scientist", "validator", "auditor", "administrator", "outsider"]
)
def test_a_refused_action_leaves_nothing(world, action, person):
    before = rows()

    with nothing_recorded(), pytest.raises(Refused):
        CHANGES[action](world, getattr(world, person))

    assert rows() == before


@pytest.mark.parametrize("action", CHANGES)
def test_a_change_without_its_event_does_not_stay(world, action):
    before = rows()

    with no_room_for_events(), pytest.raises(FailedHalfWay):
        CHANGES[action](world, getattr(world, MAY.get(action, "program_manager")))

    assert rows() == before


@pytest.mark.parametrize("action", CHANGES)
def test_an_allowed_action_leaves_one_event_of_its_project(world, action):
    before = AuditEvent.objects.count()

    CHANGES[action](world, getattr(world, MAY.get(action, "program_manager")))

    [event] = AuditEvent.objects.order_by("pk")[before:]
    assert str(event.project_id) == event.target_id
    assert event.target_type == "projects.project"


def test_create_project_records_event(world):
    event = AuditEvent.objects.get(type="project.created")

    assert event.actor_id == world.program_manager.pk
    assert event.project_id == world.project.pk
    assert str(event) == (
        "Petra Program <program_manager@agency.example> created project Inspection"
    )


def test_create_project_makes_its_opener_program_manager(program_manager):
    project = actions.create_project(**NEW, by=program_manager)

    [membership] = project.memberships.all()
    assert (membership.user, membership.role) == (program_manager, "program_manager")
    assert project.created_by == program_manager


@pytest.mark.parametrize("slug", ["inspection", "create"])
def test_create_project_refuses_a_taken_short_name(program_manager, slug):
    with nothing_recorded(), pytest.raises(Invalid) as caught:
        actions.create_project(**{**NEW, "slug": slug}, by=program_manager)

    assert list(caught.value.fields) == ["slug"]


def test_edit_project_records_what_changed(project, program_manager):
    with one_event("project.edited") as events:
        actions.edit_project(
            project=project,
            values={"name": "Inspection", "mission": "Other.", "slug": "x"},
            by=program_manager,
        )

    project.refresh_from_db()
    assert (project.mission, project.slug) == ("Other.", "inspection")
    assert events[0].changes == {"mission": ["Find damage early.", "Other."]}


def test_edit_project_without_change_leaves_no_event(project, program_manager):
    with nothing_recorded():
        actions.edit_project(
            project=project, values={"name": project.name}, by=program_manager
        )


def test_state_objective_records_what_changed(project, program_manager):
    with one_event("project.objective_stated") as events:
        actions.state_objective(
            project=project,
            statement=replace(OBJECTIVE, target=900.0),
            by=program_manager,
        )

    assert Objective.objects.get(project=project).target == 900.0
    assert events[0].changes == {"target": [1200.0, 900.0]}


def test_state_objective_again_leaves_no_event(project, program_manager):
    with nothing_recorded():
        actions.state_objective(
            project=project, statement=OBJECTIVE, by=program_manager
        )


def test_state_objective_where_more_is_better(project, program_manager):
    statement = replace(OBJECTIVE, direction="higher", baseline=0.1, target=0.2)

    objective = actions.state_objective(
        project=project, statement=statement, by=program_manager
    )

    assert objective.direction == "higher"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"target": 2000.0}, ["target"]),
        ({"target": 2500.0}, ["target"]),
        ({"direction": "higher"}, ["target"]),
        ({"direction": "sideways"}, ["direction"]),
        ({"miss_cost": -1.0}, ["miss_cost"]),
        ({"false_alarm_cost": float("nan")}, ["false_alarm_cost"]),
        ({"baseline": float("inf"), "target": float("-inf")}, ["baseline", "target"]),
    ],
)
def test_state_objective_refuses_invalid_input(
    project, program_manager, changes, fields
):
    before = rows()

    with nothing_recorded(), pytest.raises(Invalid) as caught:
        actions.state_objective(
            project=project, statement=replace(OBJECTIVE, **changes), by=program_manager
        )

    assert list(caught.value.fields) == fields
    assert rows() == before


def test_determine_impact_records_the_reason(project, ai_official):
    with one_event("project.impact_determined") as events:
        actions.determine_impact(
            project=project, impact="high", reason="Benefits.", by=ai_official
        )

    project.refresh_from_db()
    assert (project.impact, project.impact_reason) == ("high", "Benefits.")
    assert events[0].changes == {"impact": ["undetermined", "high"]}
    assert events[0].reason == "Benefits."


@pytest.mark.parametrize(
    ("impact", "reason", "field"),
    [
        ("undetermined", "x", "impact"),
        ("huge", "x", "impact"),
        ("high", " \n", "reason"),
    ],
)
def test_determine_impact_refuses_invalid_input(
    project, ai_official, impact, reason, field
):
    with nothing_recorded(), pytest.raises(Invalid) as caught:
        actions.determine_impact(
            project=project, impact=impact, reason=reason, by=ai_official
        )

    assert list(caught.value.fields) == [field]


def test_add_member_records_event(world, outsider, program_manager):
    with one_event("member.added") as events:
        CHANGES["add_member"](world, program_manager)

    assert member(world.project, outsider).role == "developer"
    assert events[0].changes == {
        "member": "Otto Outsider <outsider@agency.example>",
        "member_id": str(outsider.pk),
        "role": [None, "developer"],
    }


def test_add_member_refuses_who_cannot_be_one(world, program_manager, administrator):
    closed = people.person("closed@agency.example")
    accounts.deactivate_person(person=closed, by=administrator)

    for person in (closed, world.worker, world.developer):
        with nothing_recorded(), pytest.raises(Invalid) as caught:
            actions.add_member(
                project=world.project,
                person=person,
                role="developer",
                by=program_manager,
            )
        assert list(caught.value.fields) == ["email"]


@pytest.mark.parametrize("role", ["auditor", "administrator", "worker", "king", ""])
def test_a_role_that_is_not_of_a_project_is_refused(world, program_manager, role):
    with nothing_recorded(), pytest.raises(Invalid, match="is not a role"):
        actions.add_member(
            project=world.project, person=world.outsider, role=role, by=program_manager
        )
    with nothing_recorded(), pytest.raises(Invalid, match="is not a role"):
        actions.change_role(
            membership=member(world.project, world.developer),
            role=role,
            by=program_manager,
        )


def test_change_role_records_event(world, developer, program_manager):
    with one_event("member.role_changed") as events:
        CHANGES["change_role"](world, program_manager)

    assert member(world.project, developer).role == "validator"
    assert events[0].changes == {
        "member": "Dev Developer <developer@agency.example>",
        "member_id": str(developer.pk),
        "role": ["developer", "validator"],
    }


def test_change_role_to_the_same_leaves_no_event(world, developer, program_manager):
    with nothing_recorded():
        actions.change_role(
            membership=member(world.project, developer),
            role="developer",
            by=program_manager,
        )


def test_remove_member_ends_what_the_person_may(world, developer, program_manager):
    with one_event("member.removed") as events:
        CHANGES["remove_member"](world, program_manager)

    assert not Project.objects.visible_to(developer).exists()
    assert events[0].changes["role"] == ["developer", None]


def test_remove_member_keeps_the_last_program_manager(world, program_manager):
    with nothing_recorded(), pytest.raises(Refused, match="at least one"):
        actions.remove_member(
            membership=member(world.project, program_manager), by=program_manager
        )


def test_determine_impact_again_in_the_same_words_is_no_change(project, ai_official):
    given = {"impact": "high", "reason": "Decides about benefits.", "by": ai_official}
    actions.determine_impact(project=project, **given)

    with nothing_recorded():
        actions.determine_impact(project=project, **given)

    with one_event("project.impact_determined"):
        actions.determine_impact(
            project=project, **{**given, "reason": "Decides about lives."}
        )
