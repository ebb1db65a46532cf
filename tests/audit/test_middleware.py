"""What was refused or failed leaves a trace, although the change itself left none."""

import pytest
from django.test import Client

from apps.projects import views
from tests.trail import nothing_recorded, one_event


class Defect(Exception):
    """An error of ours, somewhere behind an address."""


@pytest.fixture
def broken(monkeypatch):
    """An address whose work meets an error."""

    def fail(**_):
        raise Defect

    monkeypatch.setattr(views.actions, "create_project", fail)


FORM = {"name": "New", "slug": "new", "mission": "Find what matters first."}


def ask(person, method: str = "post") -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return getattr(client, method)("/projects/create/", FORM)


def test_a_change_that_met_an_error_is_recorded(program_manager, broken):
    with one_event("access.failed") as events:
        answer = ask(program_manager)

    assert answer.status_code == 500
    assert events[0].outcome == "error"
    assert events[0].actor_id == program_manager.pk
    assert events[0].changes == {"address": "/projects/create/", "error": "Defect"}


def test_a_read_records_no_failure(program_manager, broken):
    with nothing_recorded():
        answer = ask(program_manager, "get")

    assert answer.status_code == 200


def test_what_is_not_there_is_no_failure(program_manager, client_of):
    with nothing_recorded():
        client_of(program_manager).post("/projects/nowhere/edit/", FORM)
