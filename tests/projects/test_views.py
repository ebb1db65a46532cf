import pytest

from apps.projects import actions
from apps.projects.models import Project
from tests.costs import queries_of
from tests.factories import people
from tests.factories import projects as project_factory
from tests.factories.projects import OBJECTIVE
from tests.trail import nothing_recorded, one_event

SCRIPT = "\"><script>alert('x')</script>"
HTMX = {"HX-Request": "true"}
PROJECT = {"name": "New", "slug": "new", "mission": "To know more."}
INVALID = {
    "/projects/create/": (
        PROJECT,
        [
            ("name", ""),
            ("name", "x" * 121),
            ("name", "a\0b"),
            ("mission", "x" * 4001),
            ("mission", "a\0b"),
            ("slug", "two words"),
            ("slug", "INSPECTION"),
            ("slug", "create"),
            ("slug", "x" * 61),
        ],
    ),
    "/projects/inspection/edit/": (PROJECT, [("name", ""), ("mission", "a\0b")]),
    "/projects/inspection/objective/": (
        vars(OBJECTIVE),
        [
            ("measure", "a\0b"),
            ("measure", "x" * 201),
            ("unit", ""),
            ("direction", "sideways"),
            ("baseline", "nan"),
            ("baseline", "1e999"),
            ("target", "2000"),
            ("miss_cost", "-1"),
            ("false_alarm_cost", "lots"),
        ],
    ),
    "/projects/inspection/members/add/": (
        {"email": "outsider@agency.example", "role": "developer"},
        [
            ("email", "nobody@agency.example"),
            ("email", "worker@service.invalid"),
            ("email", "developer@agency.example"),
            ("email", "no address"),
            ("role", "auditor"),
        ],
    ),
}
CASES = [
    (address, data, field, value)
    for address, (data, faults) in INVALID.items()
    for field, value in faults
]


@pytest.fixture
def managers(program_manager, client_of):
    """The browser of the program manager."""
    return client_of(program_manager)


@pytest.mark.parametrize(("address", "data", "field", "value"), CASES)
def test_a_form_with_a_fault_comes_back(world, managers, address, data, field, value):
    with nothing_recorded():
        answer = managers.post(address, {**data, field: value})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_list_shows_the_projects_of_the_reader(world, managers, client_of):
    project_factory.project("other")

    own = managers.get("/projects/").content.decode()
    everything = client_of(world.auditor).get("/projects/").content.decode()
    nothing = client_of(world.outsider).get("/projects/").content.decode()
    found = managers.get("/projects/?search=nothing").content.decode()

    assert "Inspection" in own
    assert "Other" not in own
    assert "5 members" in own
    assert "Other" in everything
    assert "No projects yet" in nothing
    assert "No project found" in found


def test_list_is_paged_and_costs_the_same_with_many_rows(
    managers, program_manager, auditor, client_of
):
    few = queries_of(managers, "/projects/")
    for number in range(30):
        project_factory.project(f"more-{number}", by=program_manager)

    page = managers.get("/projects/")

    rest = managers.get("/projects/", {"after": page.context["page"].next_cursor})
    assert queries_of(managers, "/projects/") == few
    assert len(page.context["page"].rows) == 24
    assert len(rest.context["page"].rows) == 7


def test_members_costs_the_same_with_many_rows(managers, project, program_manager):
    few = queries_of(managers, "/projects/inspection/members/")
    for number in range(20):
        actions.add_member(
            project=project,
            person=people.person(f"p{number}@agency.example"),
            role="developer",
            by=program_manager,
        )

    assert queries_of(managers, "/projects/inspection/members/") == few


def test_members_shows_controls_to_who_may_use_them(managers, developer, client_of):
    address = "/projects/inspection/members/"

    manager = managers.get(address).content.decode()
    reader = client_of(developer).get(address).content.decode()

    assert "Change role" in manager
    assert "Change role" not in reader
    assert "Vera Validator" in reader
    assert "Only a program manager of this project can do this." in reader


def test_create_project_goes_on_to_its_objective(managers):
    with one_event("project.created"):
        answer = managers.post("/projects/create/", {**PROJECT, "slug": "New"})

    assert Project.objects.get(slug="new").name == "New"
    assert answer["Location"] == "/projects/new/objective/"


def test_create_project_through_htmx_tells_the_browser_to_go_on(managers):
    answer = managers.post("/projects/create/", PROJECT, headers=HTMX)

    assert answer["HX-Redirect"] == "/projects/new/objective/"


def test_edit_project_shows_and_changes(managers, project):
    shown = managers.get("/projects/inspection/edit/").content.decode()
    answer = managers.post(
        "/projects/inspection/edit/", {"name": "Renamed", "mission": "Other."}
    )

    project.refresh_from_db()
    assert "Find damage early." in shown
    assert answer["Location"] == "/projects/inspection/"
    assert project.name == "Renamed"


def test_state_objective_shows_and_changes(managers, project):
    shown = managers.get("/projects/inspection/objective/").content.decode()
    answer = managers.post(
        "/projects/inspection/objective/", {**vars(OBJECTIVE), "target": "900"}
    )

    project.objective.refresh_from_db()
    assert 'value="1200.0"' in shown
    assert answer.status_code == 302
    assert project.objective.target == 900.0


def test_determine_impact_changes_and_refuses_no_reason(
    ai_official, client_of, project
):
    client = client_of(ai_official)
    address = "/projects/inspection/impact/"

    invalid = client.post(address, {"impact": "high", "reason": " "})
    nul = client.post(address, {"impact": "high", "reason": "a\0b"})
    answer = client.post(address, {"impact": "high", "reason": "Benefits."})

    project.refresh_from_db()
    assert (invalid.status_code, nul.status_code) == (422, 422)
    assert answer.status_code == 302
    assert project.impact == "high"


def test_members_come_change_and_go(managers, project, outsider):
    added = managers.post(
        "/projects/inspection/members/add/",
        {"email": "OUTSIDER@agency.example", "role": "developer"},
    )
    membership = project.memberships.get(user=outsider)
    wrong = managers.post(f"/members/{membership.pk}/change-role/", {"role": "king"})
    changed = managers.post(
        f"/members/{membership.pk}/change-role/", {"role": "validator"}
    )
    membership.refresh_from_db()
    removed = managers.post(f"/members/{membership.pk}/remove/")
    page = managers.get(removed["Location"]).content.decode()

    members = "/projects/inspection/members/"
    assert added["Location"] == changed["Location"] == removed["Location"] == members
    assert wrong.status_code == 422
    assert membership.role == "validator"
    assert "Otto Outsider is no longer a member." in page


def test_the_last_program_manager_cannot_leave(managers, project, program_manager):
    membership = project.memberships.get(user=program_manager)

    answer = managers.post(f"/members/{membership.pk}/remove/")

    assert answer.status_code == 403
    assert "A project keeps at least one program manager." in answer.content.decode()


def test_the_members_of_another_project_are_not_there(managers):
    other = project_factory.project("other")
    membership = other.memberships.get()

    assert managers.get("/projects/other/members/").status_code == 404
    assert managers.post(f"/members/{membership.pk}/remove/").status_code == 404
    assert (
        managers.post(
            f"/members/{membership.pk}/change-role/", {"role": "developer"}
        ).status_code
        == 404
    )


def test_script_in_every_text_of_a_project_is_escaped(managers, project):
    managers.post("/projects/inspection/edit/", {"name": SCRIPT, "mission": SCRIPT * 3})
    managers.post(
        "/projects/inspection/objective/",
        {**vars(OBJECTIVE), "measure": SCRIPT, "unit": SCRIPT},
    )

    for address in (
        "/projects/",
        "/projects/?search=" + SCRIPT,
        "/projects/inspection/edit/",
        "/projects/inspection/objective/",
        "/projects/inspection/members/",
        "/projects/inspection/members/add/",
        "/account/",
        "/audit/",
    ):
        page = managers.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
        assert "&lt;script&gt;alert" in page.content.decode()
