"""Rows of approval policies."""

from tests.factories import policies
from tests.factories.people import PASSWORD
from tests.permission_rows import AI_OFFICIAL, PEOPLE, Row, everybody

ALL = everybody(200, *PEOPLE)


def standard(world):
    return {"name": "standard"}, None


def to_write(world):
    return {"name": "standard"}, {"text": policies.text(), "note": "Asked for."}


def to_check(world):
    return {"name": "standard"}, {"text": "name: standard"}


def version(world):
    written = policies.written(world)
    return {"name": written.name, "number": written.number}, None


def to_enact(world):
    return version(world)[0], {"reason": "Decided.", "password": PASSWORD}


def official(status: int) -> dict[str, int]:
    return {AI_OFFICIAL: status}


ROWS = [
    Row("approvals:policies", "get", expect=ALL),
    Row("approvals:policy", "get", standard, ALL),
    Row("approvals:write_policy", "get", standard, official(200), others=403),
    Row("approvals:write_policy", "post", to_write, official(302), others=403),
    Row("approvals:check_policy", "post", to_check, official(200), others=403),
    Row("approvals:policy_version", "get", version, ALL),
    Row("approvals:policy_version", "post", to_enact, official(302), others=403),
    Row("approvals:rehearse_policy", "get", version, ALL),
    Row("v1:policies", "get", expect=ALL),
    Row("v1:policy_versions", "get", standard, ALL),
    Row("v1:policy_versions", "post", to_write, official(201), others=403),
    Row("v1:enact_policy", "post", to_enact, official(200), others=403),
    Row("v1:rehearse_policy", "get", version, ALL),
]
