"""One table: who gets which answer at every address of the portal.

Each module here holds `ROWS` for one app. A row names the address, the method, and
what the answer is by person. `make` builds what the address needs in the given world
and returns the arguments of the URL, and for a changing request its data:

    Row("projects:edit_project", "post", make_edit, {PROGRAM_MANAGER: 302}, others=403)

Everybody in `PEOPLE` who is not named in `expect` gets `others`. Somebody who is not
signed in gets 302 to the sign-in page, or 401 from the API, unless `anonymous` says
otherwise. Pages are asked by a browser, addresses that begin with `v1:` or `mlflow:` by
a program with a token that may write; data is sent as JSON there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PROGRAM_MANAGER = "program_manager"
DATA_SCIENTIST = "data_scientist"
VALIDATOR = "validator"
OPERATIONS_MANAGER = "operations_manager"
DEVELOPER = "developer"
AUDITOR = "auditor"
AI_OFFICIAL = "ai_official"
ADMINISTRATOR = "administrator"
OUTSIDER = "outsider"

MEMBERS = (PROGRAM_MANAGER, DATA_SCIENTIST, VALIDATOR, OPERATIONS_MANAGER, DEVELOPER)
READERS = (*MEMBERS, AUDITOR, AI_OFFICIAL)
STRANGERS = (ADMINISTRATOR, OUTSIDER)
PEOPLE = (*READERS, *STRANGERS)

Make = Callable[[Any], tuple[dict[str, Any], Any]]


def no_arguments(world: Any) -> tuple[dict[str, Any], Any]:
    """An address without arguments, a request without data."""
    return {}, None


def of_project(world: Any) -> tuple[dict[str, Any], Any]:
    """An address below the project of the world."""
    return {"slug": world.project.slug}, None


def everybody(status: int, *people: str) -> dict[str, int]:
    """Say that each of `people` gets `status`."""
    return dict.fromkeys(people, status)


@dataclass(frozen=True)
class Row:
    """What one address answers to each person.

    Args:
        name: URL name with its namespace.
        method: get, post, put, patch or delete.
        make: builds what is asked for; gets the world.
        expect: status by person.
        others: status of everybody else.
        anonymous: status without signing in; None for the usual one.
        query: the query string.
        multipart: data is sent as a form although the address is the API's.
        headers: of the request; data is then sent as bytes of their `Content-Type`.
    """

    name: str
    method: str
    make: Make = no_arguments
    expect: dict[str, int] = field(default_factory=dict)
    others: int = 404
    anonymous: int | None = None
    query: str = ""
    multipart: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.name}"

    @property
    def is_api(self) -> bool:
        return self.name.startswith(("v1:", "mlflow:"))

    def status_for(self, person: str) -> int:
        return self.expect.get(person, self.others)
