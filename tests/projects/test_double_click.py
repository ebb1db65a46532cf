"""The same request twice at the same moment has one effect."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid
from apps.projects import actions
from apps.projects.models import Membership, Project
from tests.factories import people


@pytest.fixture
def at_once(committed):
    """Call an action twice at the same moment; what each call came to."""

    def call(action, **arguments) -> list[str]:
        start = Barrier(2)

        def one_click(_number: int) -> str:
            try:
                start.wait(timeout=10)
                action(**arguments)
            except Invalid as error:
                return error.message
            else:
                return "done"
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as clicks:
            return sorted(clicks.map(one_click, range(2)))

    return call


def test_create_project_twice_makes_one(at_once):
    manager = people.person("m@agency.example", agency_roles=["program_manager"])

    outcomes = at_once(
        actions.create_project, slug="new", name="New", mission="Know.", by=manager
    )

    assert outcomes == ["The short name new is taken.", "done"]
    assert Project.objects.count() == Membership.objects.count() == 1
    assert AuditEvent.objects.filter(type="project.created").count() == 1


def test_create_person_twice_makes_one(at_once):
    outcomes = at_once(
        accounts.create_person,
        email="new@agency.example",
        full_name="New",
        password=people.PASSWORD,
        by=people.administrator(),
    )

    assert outcomes == ["There is an account with this e-mail address.", "done"]
    assert User.objects.filter(email="new@agency.example").count() == 1


def test_add_member_twice_adds_one(at_once):
    manager = people.person("m@agency.example", agency_roles=["program_manager"])
    project = actions.create_project(
        slug="new", name="New", mission="Know.", by=manager
    )

    outcomes = at_once(
        actions.add_member,
        project=project,
        person=people.person("p@agency.example", "Pat"),
        role="developer",
        by=manager,
    )

    assert outcomes == ["Pat is a member already.", "done"]
    assert project.memberships.count() == 2
