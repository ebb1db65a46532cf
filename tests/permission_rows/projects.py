"""Rows of projects, objectives and members."""

from tests.factories import people
from tests.factories.projects import OBJECTIVE
from tests.permission_rows import (
    AI_OFFICIAL,
    PEOPLE,
    PROGRAM_MANAGER,
    READERS,
    STRANGERS,
    Row,
    everybody,
    of_project,
)

ALL = everybody(200, *PEOPLE)
READ = everybody(200, *READERS)
HIDDEN = everybody(404, *STRANGERS)


def manager(status: int) -> dict[str, int]:
    return {PROGRAM_MANAGER: status, **HIDDEN}


def official(status: int) -> dict[str, int]:
    return {AI_OFFICIAL: status, **HIDDEN}


def new_project(world):
    return {}, {"slug": "new", "name": "New", "mission": "To know more."}


def edit(world):
    return {"slug": world.project.slug}, {"name": "Renamed", "mission": "Another."}


def objective(world):
    return {"slug": world.project.slug}, {**vars(OBJECTIVE), "target": 900.0}


def impact(world):
    data = {"impact": "high", "reason": "Decides about benefits."}
    return {"slug": world.project.slug}, data


def code_policy(world):
    return {"slug": world.project.slug}, {"allows_code": True}


def new_member(world):
    person = people.person("member@agency.example")
    return {"slug": world.project.slug}, {"email": person.email, "role": "developer"}


def membership(world):
    found = world.project.memberships.get(user=world.developer)
    return {"pk": found.pk}, {"role": "validator"}


ROWS = [
    Row("projects:list", "get", expect=ALL),
    Row("projects:create_project", "get", expect={PROGRAM_MANAGER: 200}, others=403),
    Row(
        "projects:create_project",
        "post",
        new_project,
        {PROGRAM_MANAGER: 302},
        others=403,
    ),
    Row("projects:edit_project", "get", of_project, manager(200), others=403),
    Row("projects:edit_project", "post", edit, manager(302), others=403),
    Row("projects:state_objective", "get", of_project, manager(200), others=403),
    Row("projects:state_objective", "post", objective, manager(302), others=403),
    Row("projects:set_code_policy", "get", of_project, manager(200), others=403),
    Row("projects:set_code_policy", "post", code_policy, manager(302), others=403),
    Row("v1:set_code_policy", "post", code_policy, manager(200), others=403),
    Row("projects:determine_impact", "get", of_project, official(200), others=403),
    Row("projects:determine_impact", "post", impact, official(302), others=403),
    Row("projects:members", "get", of_project, READ),
    Row("projects:add_member", "get", of_project, manager(200), others=403),
    Row("projects:add_member", "post", new_member, manager(302), others=403),
    Row("projects:change_role", "get", membership, manager(200), others=403),
    Row("projects:change_role", "post", membership, manager(302), others=403),
    Row("projects:remove_member", "post", membership, manager(302), others=403),
    Row("v1:projects", "get", expect=ALL),
    Row("v1:projects", "post", new_project, {PROGRAM_MANAGER: 201}, others=403),
    Row("v1:project", "get", of_project, READ),
    Row("v1:project", "patch", edit, manager(200), others=403),
    Row("v1:objective", "put", objective, manager(200), others=403),
    Row("v1:determine_impact", "post", impact, official(200), others=403),
    Row("v1:members", "get", of_project, READ),
    Row("v1:members", "post", new_member, manager(201), others=403),
    Row("v1:member", "patch", membership, manager(200), others=403),
    Row("v1:member", "delete", membership, manager(204), others=403),
]
