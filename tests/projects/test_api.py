import json

import pytest

from apps.projects import actions
from apps.projects.models import Project
from tests.costs import queries_of
from tests.factories import people
from tests.factories import projects as project_factory
from tests.factories.projects import OBJECTIVE
from tests.trail import nothing_recorded, one_event

PROJECTS = "/api/v1/projects"
PROJECT = {"slug": "new", "name": "New", "mission": "To know more."}
HERE = f"{PROJECTS}/inspection"


@pytest.fixture
def managers(program_manager, api_of):
    """A program that acts for the program manager."""
    return api_of(program_manager)


def send(client, method: str, address: str, data):
    return getattr(client, method)(
        address, json.dumps(data), content_type="application/json"
    )


def test_projects_are_created_and_read(managers):
    with one_event("project.created") as events:
        created = send(managers, "post", PROJECTS, PROJECT)

    read = managers.get(created["Location"])
    assert created.status_code == 201
    assert created["Location"] == f"{PROJECTS}/new"
    assert read.json() == created.json()
    assert read.json()["objective"] is None
    assert events[0].channel == "api"


def test_a_project_tells_its_objective(managers):
    body = managers.get(HERE).json()

    assert body["slug"] == "inspection"
    assert body["objective"] == vars(OBJECTIVE)


def test_a_project_is_not_sent_twice(managers):
    first = managers.get(HERE)

    unchanged = managers.get(HERE, headers={"If-None-Match": first["ETag"]})
    send(managers, "patch", HERE, {"name": "Renamed"})
    changed = managers.get(HERE, headers={"If-None-Match": first["ETag"]})

    assert unchanged.status_code == 304
    assert changed.status_code == 200


def test_projects_lists_what_the_token_sees(world, managers, api_of):
    project_factory.project("other")

    own = managers.get(PROJECTS).json()
    everything = api_of(world.auditor, "read").get(PROJECTS).json()

    assert [row["slug"] for row in own["results"]] == ["inspection"]
    assert [row["slug"] for row in everything["results"]] == ["other", "inspection"]
    assert own["next"] is None


@pytest.mark.parametrize("address", [PROJECTS, f"{HERE}/members"])
def test_lists_cost_the_same_with_many_rows(
    managers, project, program_manager, address
):
    few = queries_of(managers, address)
    for number in range(20):
        project_factory.project(f"more-{number}", by=program_manager)
        actions.add_member(
            project=project,
            person=people.person(f"p{number}@agency.example"),
            role="developer",
            by=program_manager,
        )

    assert queries_of(managers, address) == few


@pytest.mark.parametrize(
    ("method", "address", "data", "field"),
    [
        ("post", PROJECTS, {**PROJECT, "slug": "inspection"}, "slug"),
        ("post", PROJECTS, {**PROJECT, "slug": "two words"}, "slug"),
        ("post", PROJECTS, {**PROJECT, "name": "a\0b"}, "name"),
        ("post", PROJECTS, {**PROJECT, "mission": "x" * 4001}, "mission"),
        ("post", PROJECTS, {"slug": "new", "mission": "x"}, "name"),
        ("patch", HERE, {"name": ""}, "name"),
        ("patch", HERE, {"mission": "\ud800"}, "mission"),
        ("put", f"{HERE}/objective", {**vars(OBJECTIVE), "target": 1e6}, "target"),
        ("put", f"{HERE}/objective", {**vars(OBJECTIVE), "miss_cost": -1}, "miss_cost"),
        ("put", f"{HERE}/objective", {**vars(OBJECTIVE), "unit": "x" * 61}, "unit"),
        (
            "put",
            f"{HERE}/objective",
            {**vars(OBJECTIVE), "baseline": 10**400},
            "baseline",
        ),
        (
            "put",
            f"{HERE}/objective",
            {**vars(OBJECTIVE), "baseline": "nan"},
            "baseline",
        ),
        (
            "post",
            f"{HERE}/members",
            {"email": "nobody@agency.example", "role": "developer"},
            "email",
        ),
        (
            "post",
            f"{HERE}/members",
            {"email": "outsider@agency.example", "role": "king"},
            "role",
        ),
    ],
)
def test_invalid_input_is_answered_by_field(
    world, managers, method, address, data, field
):
    with nothing_recorded():
        answer = send(managers, method, address, data)

    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid"
    assert list(answer.json()["fields"]) == [field]


def test_edit_project_changes_what_is_given(managers):
    answer = send(managers, "patch", HERE, {"name": "Renamed"})

    assert answer.json()["name"] == "Renamed"
    assert answer.json()["mission"] == "Find damage early."


def test_state_objective_through_the_api(managers):
    statement = {**vars(OBJECTIVE), "target": 900}

    answer = send(managers, "put", f"{HERE}/objective", statement)

    assert answer.json() == {**vars(OBJECTIVE), "target": 900.0}


def test_determine_impact_through_the_api(ai_official, managers, api_of):
    data = {"impact": "high", "reason": "Benefits."}

    refused = send(managers, "post", f"{HERE}/determine-impact", data)
    answer = send(api_of(ai_official), "post", f"{HERE}/determine-impact", data)

    assert refused.status_code == 403
    assert refused.json()["message"].startswith("Only an AI official")
    assert answer.json()["impact"] == "high"


def test_members_come_change_and_go(managers, outsider):
    data = {"email": outsider.email, "role": "developer"}

    added = send(managers, "post", f"{HERE}/members", data)
    address = f"/api/v1/members/{added.json()['id']}"
    changed = send(managers, "patch", address, {"role": "validator"})
    removed = managers.delete(address)
    gone = managers.delete(address)

    assert (added.status_code, added.json()["role"]) == (201, "developer")
    assert changed.json()["role"] == "validator"
    assert (removed.status_code, removed.content) == (204, b"")
    assert gone.status_code == 404


def test_members_are_listed_with_their_roles(managers):
    rows = managers.get(f"{HERE}/members").json()["results"]

    assert {row["email"].split("@")[0]: row["role"] for row in rows} == {
        role: role
        for role in (
            "program_manager",
            "data_scientist",
            "validator",
            "operations_manager",
            "developer",
        )
    }


def test_another_project_is_not_there(managers):
    other = project_factory.project("other")
    membership = other.memberships.get()

    for method, address in (
        ("get", f"{PROJECTS}/other"),
        ("get", f"{PROJECTS}/other/members"),
        ("delete", f"/api/v1/members/{membership.pk}"),
    ):
        answer = getattr(managers, method)(address)
        assert answer.status_code == 404
        assert answer.json()["error"] == "not_found"
    assert Project.objects.filter(slug="other").exists()


def test_only_managers_learn_who_has_an_account(developer, api_of):
    members = f"{HERE}/members"
    answers = [
        send(api_of(developer), "post", members, {"email": email, "role": "developer"})
        for email in (developer.email, "nobody@agency.example")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()


def test_a_short_name_differs_by_more_than_its_capitals(managers):
    with nothing_recorded():
        answer = send(managers, "post", PROJECTS, {**PROJECT, "slug": "Inspection"})

    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == ["slug"]
