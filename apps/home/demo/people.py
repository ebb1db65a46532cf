"""The people of the demonstration, one per role. All of them are invented."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.accounts import actions
from apps.accounts.models import User
from apps.home.demo.missions import STRIKES

TOKEN_DAYS = 90
_WORDS = (
    "amber", "anchor", "aspen", "badge", "beacon", "birch", "bridge", "cedar", "chart",
    "cobalt", "compass", "copper", "delta", "ember", "falcon", "fern", "granite",
    "harbor", "heron", "indigo", "juniper", "kestrel", "lantern", "maple", "meadow",
    "orchid", "pebble", "quartz", "raven", "summit", "timber", "willow",
)  # fmt: skip


@dataclass(frozen=True)
class Invented:
    """Somebody who exists only here."""

    role: str
    full_name: str
    title: str
    agency_roles: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        """An address that no mail can reach."""
        return f"{self.role.replace('_', '.')}@demo.example"


ADMINISTRATOR = Invented("administrator", "Alma Reyes", "System administrator")
PEOPLE = (
    Invented(
        "program_manager", "Paula Okafor", "Program manager", ("program_manager",)
    ),
    Invented("data_scientist", "Dana Whitfield", "Data scientist"),
    Invented("validator", "Victor Lindqvist", "Lead validator"),
    Invented("operations_manager", "Olu Adeyemi", "Operations manager"),
    Invented("developer", "Devi Raman", "Software developer"),
    Invented("auditor", "Audrey Castellanos", "Inspector", ("auditor",)),
    Invented("ai_official", "Aiko Brandt", "Chief AI officer", ("ai_official",)),
)
ORGANISATION = "Office of Demonstration"


@dataclass(frozen=True)
class Access:
    """An account with the keys that are shown to whoever started the demonstration."""

    user: User
    password: str


def create_people() -> dict[str, Access]:
    """Create everybody, each with a password of their own."""
    password = _password(ADMINISTRATOR)
    administrator = actions.create_first_administrator(
        email=ADMINISTRATOR.email, full_name=ADMINISTRATOR.full_name, password=password
    )
    everybody = {ADMINISTRATOR.role: Access(administrator, password)}
    for invented in PEOPLE:
        password = _password(invented)
        user = actions.create_person(
            email=invented.email,
            full_name=invented.full_name,
            password=password,
            profile={"title": invented.title, "organisation": ORGANISATION},
            agency_roles=invented.agency_roles,
            by=administrator,
        )
        everybody[invented.role] = Access(user, password)
    return everybody


def _password(invented: Invented) -> str:
    """Draw words until they are unlike the name and address of who gets them."""
    person = User(email=invented.email, full_name=invented.full_name)
    while True:
        password = "-".join(secrets.choice(_WORDS) for _ in range(5))
        try:
            validate_password(password, person)
        except ValidationError:
            continue
        return password


def issue_tokens(people: Mapping[str, Access]) -> dict[str, str]:
    """Issue a token to everybody; that of the data scientist knows its project."""
    return {
        role: actions.issue_token(
            name="Demonstration",
            scope="write",
            days=TOKEN_DAYS,
            by=access.user,
            default_project=STRIKES.slug if role == "data_scientist" else "",
        )[1]
        for role, access in people.items()
    }
