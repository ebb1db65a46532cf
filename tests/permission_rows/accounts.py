"""Rows of accounts: sign-in, tokens and people."""

from apps.accounts import actions
from tests.factories import people
from tests.permission_rows import ADMINISTRATOR, PEOPLE, Row, everybody

ALL = everybody(200, *PEOPLE)
PROFILE = {"full_name": "New Name", "title": "Chief", "organisation": "Agency"}


def somebody(world):
    return {"pk": people.person("some@agency.example").pk}, PROFILE


def roles_of_somebody(world):
    return somebody(world)[0], {"agency_roles": ["auditor"]}


def token_of_the_validator(world):
    token, _ = actions.issue_token(
        name="mine", scope="read", days=1, by=world.validator
    )
    return {"pk": token.pk}, None


def new_person(world):
    return {}, {
        **PROFILE,
        "email": "new@agency.example",
        "password": people.PASSWORD,
        "agency_roles": [],
    }


def new_token(world):
    return {}, {"name": "report", "scope": "read", "days": 30}


ROWS = [
    Row("accounts:sign_in", "get", expect=everybody(302, *PEOPLE), anonymous=200),
    Row("accounts:sign_out", "post", expect=everybody(302, *PEOPLE)),
    Row("accounts:account", "get", expect=ALL),
    Row("accounts:change_password", "get", expect=ALL),
    Row("accounts:issue_token", "get", expect=ALL),
    Row("accounts:issue_token", "post", new_token, ALL),
    Row("accounts:revoke_token", "post", token_of_the_validator, {"validator": 302}),
    Row("accounts:people", "get", expect={ADMINISTRATOR: 200}, others=403),
    Row("accounts:create_person", "get", expect={ADMINISTRATOR: 200}, others=403),
    Row("accounts:create_person", "post", new_person, {ADMINISTRATOR: 302}, others=403),
    Row("accounts:person", "get", somebody, {ADMINISTRATOR: 200}),
    Row("accounts:edit_person", "get", somebody, {ADMINISTRATOR: 200}),
    Row("accounts:edit_person", "post", somebody, {ADMINISTRATOR: 302}),
    Row("accounts:set_agency_roles", "get", somebody, {ADMINISTRATOR: 200}),
    Row("accounts:set_agency_roles", "post", roles_of_somebody, {ADMINISTRATOR: 302}),
    Row("accounts:deactivate_person", "post", somebody, {ADMINISTRATOR: 302}),
    Row("v1:me", "get", expect=ALL),
    Row("v1:tokens", "get", expect=ALL),
    Row("v1:tokens", "post", new_token, everybody(201, *PEOPLE)),
    Row("v1:revoke_token", "post", token_of_the_validator, {"validator": 200}),
    Row("v1:people", "get", expect={ADMINISTRATOR: 200}, others=403),
    Row("v1:people", "post", new_person, {ADMINISTRATOR: 201}, others=403),
    Row("v1:person", "get", somebody, {ADMINISTRATOR: 200}),
    Row("v1:person", "patch", somebody, {ADMINISTRATOR: 200}),
    Row("v1:set_agency_roles", "post", roles_of_somebody, {ADMINISTRATOR: 200}),
    Row("v1:deactivate_person", "post", somebody, {ADMINISTRATOR: 200}),
]
