import getpass
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from tests.factories import people
from tests.trail import nothing_recorded


@pytest.fixture
def typed(monkeypatch):
    """The password somebody types at the terminal."""

    def enter(password: str) -> None:
        monkeypatch.setattr(getpass, "getpass", lambda _prompt: password)

    return enter


def create_administrator() -> str:
    out = StringIO()
    call_command("create_administrator", "ada@agency.example", "Ada", stdout=out)
    return out.getvalue()


def test_create_administrator_makes_the_first_account(db, typed):
    typed(people.PASSWORD)

    said = create_administrator()

    assert said == "Created Ada (ada@agency.example).\n"
    assert User.objects.get(email="ada@agency.example").check_password(people.PASSWORD)


def test_create_administrator_says_what_is_wrong(db, typed):
    typed("short")

    with pytest.raises(CommandError, match="too short"):
        create_administrator()


def test_create_administrator_refuses_a_second_one(administrator, typed):
    typed(people.PASSWORD)

    with nothing_recorded(), pytest.raises(CommandError, match="has accounts"):
        create_administrator()
