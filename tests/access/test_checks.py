import pytest

from apps.access.checks import (
    ALLOWED,
    Denied,
    NotNow,
    ensure,
    has_agency_permission,
    has_permission,
    permitted,
    project_roles_with,
    roles_of,
)
from apps.access.permissions import Permission
from apps.core.errors import Refused, WrongState
from tests.factories import projects as project_factory
from tests.permission_rows import PEOPLE

HELD_IN_PROJECT = {
    "program_manager": ["program_manager"],
    "data_scientist": ["data_scientist"],
    "validator": ["validator"],
    "operations_manager": ["operations_manager"],
    "developer": ["developer"],
    "auditor": ["auditor"],
    "ai_official": ["ai_official"],
    "administrator": ["administrator"],
    "outsider": [],
}
HELD_OUTSIDE = {
    "program_manager": ["program_manager"],
    "auditor": ["auditor"],
    "ai_official": ["ai_official"],
    "administrator": ["administrator"],
}


def slugs(user, project) -> list[str]:
    return [role.slug for role in roles_of(user, project)]


def test_a_decision_is_true_when_allowed():
    assert ALLOWED
    assert not Denied("No.")
    assert not NotNow("Later.")


def test_ensure_goes_on_or_raises_with_the_reason():
    ensure(ALLOWED)

    with pytest.raises(Refused, match="Not you"):
        ensure(Denied("Not you."))
    with pytest.raises(WrongState, match="Not now"):
        ensure(NotNow("Not now."))


@pytest.mark.parametrize("person", PEOPLE)
def test_roles_of_a_person_in_and_outside_of_the_project(world, person):
    user = getattr(world, person)

    assert slugs(user, world.project) == HELD_IN_PROJECT[person]
    assert slugs(user, None) == HELD_OUTSIDE.get(person, [])


def test_a_program_manager_of_the_agency_has_no_part_in_others_projects(
    world, program_manager
):
    other = project_factory.project("other")

    assert slugs(program_manager, other) == []
    assert has_permission(program_manager, Permission.PROJECT_CREATE, None)
    assert not has_permission(program_manager, Permission.PROJECT_EDIT, other)
    assert not has_agency_permission(program_manager, Permission.PROJECT_READ)


@pytest.mark.parametrize("person", PEOPLE)
def test_a_closed_account_holds_no_role(world, person):
    user = getattr(world, person)
    user.is_active = False

    assert slugs(user, world.project) == slugs(user, None) == []
    assert not has_agency_permission(user, Permission.PROJECT_READ)


def test_agency_roles_count_in_every_project(world, auditor, ai_official):
    other = project_factory.project("other")

    assert has_permission(auditor, Permission.AUDIT_EXPORT, other)
    assert has_permission(ai_official, Permission.PROJECT_DETERMINE_IMPACT, other)
    assert has_agency_permission(auditor, Permission.PROJECT_READ)


def test_permitted_names_who_may(world, developer, data_scientist, project):
    allowed = permitted(data_scientist, Permission.TRAINING_LAUNCH, project)
    denied = permitted(developer, Permission.TRAINING_LAUNCH, project)
    outside = permitted(developer, Permission.ACCOUNT_MANAGE, None)

    assert allowed is ALLOWED
    assert denied == Denied("Only a data scientist of this project can do this.")
    assert outside.reason == "Only an administrator can do this."


def test_project_roles_with_a_permission():
    assert project_roles_with(Permission.MODEL_DOWNLOAD) == [
        "data_scientist",
        "validator",
        "operations_manager",
        "developer",
    ]
    assert project_roles_with(Permission.ACCOUNT_MANAGE) == []
