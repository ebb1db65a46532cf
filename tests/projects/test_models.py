import pytest
from django.db import IntegrityError, transaction

from apps.projects import queries
from apps.projects.models import Membership, Objective, Project
from tests.factories import projects as project_factory
from tests.permission_rows import PEOPLE, READERS


@pytest.mark.parametrize("person", PEOPLE)
def test_visible_to_shows_the_projects_of_a_person(world, person):
    other = project_factory.project("other")
    user = getattr(world, person)

    projects = set(Project.objects.visible_to(user))
    members = Membership.objects.visible_to(user)

    expected = {world.project} if person in READERS else set()
    if person in {"auditor", "ai_official"}:
        expected |= {other}
    assert projects == expected
    assert {member.project for member in members} == expected


def test_the_worker_sees_every_project(world):
    assert list(Project.objects.visible_to(world.worker)) == [world.project]


@pytest.mark.parametrize(
    ("rows", "changes", "constraint"),
    [
        (Project, {"impact": "high"}, "impact_determined_with_reason"),
        (Objective, {"miss_cost": -1}, "objective_costs_not_negative"),
        (Objective, {"false_alarm_cost": -0.5}, "objective_costs_not_negative"),
    ],
)
def test_the_database_refuses_what_no_action_would_write(
    world, rows, changes, constraint
):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        rows.objects.all().update(**changes)


def test_a_person_has_one_role_in_a_project(world):
    with (
        pytest.raises(IntegrityError, match="one_role_per_member"),
        transaction.atomic(),
    ):
        Membership.objects.create(
            project=world.project, user=world.developer, role="validator"
        )


def test_names_of_the_rows(world):
    membership = world.project.memberships.get(user=world.developer)

    assert str(world.project) == "Inspection"
    assert world.project.project is world.project
    assert str(world.project.objective) == (
        "Cost of inspections and missed damage per 1,000 strikes (hours)"
    )
    assert str(membership) == (
        "Dev Developer (developer@agency.example) as Developer in Inspection"
    )


def test_member_counts_do_not_depend_on_the_reader(world):
    for person in (world.developer, world.auditor):
        [found] = queries.with_member_counts(Project.objects.visible_to(person))

        assert found.member_count == 5


def test_objective_values_are_those_of_the_form(world):
    project = project_factory.project("other")

    assert queries.objective_values(project) == {}
    assert queries.objective_values(world.project) == vars(project_factory.OBJECTIVE)
