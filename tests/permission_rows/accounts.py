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


def closed_person(world):
    person = people.person("closed@agency.example", "Clo Sed")
    actions.deactivate_person(person=person, by=world.administrator)
    return person


def person_to_erase(world):
    return {"pk": closed_person(world).pk}, {"legal_basis": "Article 17"}


def new_erasure(world):
    given = {"person": str(closed_person(world).pk), "legal_basis": "Article 17"}
    return {}, given


def erasure(world):
    other = people.person("second@agency.example", agency_roles=["administrator"])
    asked = actions.request_erasure(
        person=closed_person(world), legal_basis="Article 17", by=other
    )
    return {"pk": asked.pk}, {"password": people.PASSWORD}


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
    Row("accounts:erasures", "get", expect={ADMINISTRATOR: 200}, others=403),
    Row("accounts:request_erasure", "get", person_to_erase, {ADMINISTRATOR: 200}),
    Row("accounts:request_erasure", "post", person_to_erase, {ADMINISTRATOR: 302}),
    Row("accounts:erasure", "get", erasure, {ADMINISTRATOR: 200}),
    Row("accounts:approve_erasure", "post", erasure, {ADMINISTRATOR: 302}),
    Row("accounts:withdraw_erasure", "post", erasure, {ADMINISTRATOR: 302}),
    Row("v1:erasures", "get", expect={ADMINISTRATOR: 200}, others=403),
    Row("v1:erasures", "post", new_erasure, {ADMINISTRATOR: 201}),
    Row("v1:erasure", "get", erasure, {ADMINISTRATOR: 200}),
    Row("v1:approve_erasure", "post", erasure, {ADMINISTRATOR: 200}),
    Row("v1:withdraw_erasure", "post", erasure, {ADMINISTRATOR: 200}),
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
