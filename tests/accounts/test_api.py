import json

import pytest
import time_machine
from django.test import Client

from apps.accounts import actions
from apps.accounts.models import ApiToken, User
from tests.costs import queries_of
from tests.factories import people
from tests.trail import nothing_recorded, one_event

TOKENS = "/api/v1/tokens"
PEOPLE = "/api/v1/people"
PERSON = {
    "email": "new@agency.example",
    "full_name": "New Person",
    "password": people.PASSWORD,
}


def send(client: Client, method: str, address: str, data) -> object:
    body = data if isinstance(data, bytes) else json.dumps(data)
    return getattr(client, method)(address, body, content_type="application/json")


def with_token(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_me_says_whom_the_token_speaks_for(validator, api_of):
    me = api_of(validator, "read").get("/api/v1/me").json()

    assert me == {
        "id": str(validator.pk),
        "email": "validator@agency.example",
        "full_name": "Vera Validator",
        "title": "",
        "organisation": "",
        "agency_roles": [],
        "memberships": [{"project": "inspection", "role": "validator"}],
    }


def test_me_is_not_sent_twice(validator, api_of):
    api = api_of(validator)
    first = api.get("/api/v1/me")

    again = api.get("/api/v1/me", headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 304


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (None, "Sign in, or send a token as: Authorization: Bearer <token>."),
        ("Basic dTpw", "Sign in, or send a token as: Authorization: Bearer <token>."),
        ("Bearer", "Send the header as: Authorization: Bearer <token>."),
        ("Bearer one two", "Send the header as: Authorization: Bearer <token>."),
        ("Bearer mlp_unknown", "This token is unknown, expired or revoked."),
        ("Bearer ümläut", "This token is unknown, expired or revoked."),
        ("Bearer \0", "This token is unknown, expired or revoked."),
    ],
)
def test_a_request_without_a_good_token_is_asked_for_one(db, header, sentence):
    headers = {"Authorization": header} if header else {}

    answer = Client(headers=headers).get("/api/v1/me")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["message"].startswith(sentence)


def test_a_token_works_until_it_expires(validator):
    with time_machine.travel("2026-05-04T00:00:00Z", tick=False) as clock:
        _, secret = actions.issue_token(name="t", scope="read", days=1, by=validator)
        clock.shift(24 * 3600 - 1)
        before = with_token(secret).get("/api/v1/me").status_code
        clock.shift(1)
        after = with_token(secret).get("/api/v1/me").status_code

    assert (before, after) == (200, 401)


def test_a_token_stops_when_revoked_or_its_owner_leaves(world, administrator):
    revoked, secret = actions.issue_token(
        name="t", scope="read", days=1, by=world.validator
    )
    _, of_the_leaver = actions.issue_token(
        name="t", scope="read", days=1, by=world.developer
    )
    actions.revoke_token(token=revoked, by=world.validator)
    actions.deactivate_person(person=world.developer, by=administrator)

    for used in (secret, of_the_leaver):
        assert with_token(used).get("/api/v1/me").status_code == 401


def test_the_last_use_of_a_token_is_kept(validator, api_of):
    api_of(validator).get("/api/v1/me")

    assert ApiToken.objects.get().last_used_at is not None


def test_a_token_that_reads_changes_nothing(administrator, developer, api_of):
    api = api_of(administrator, "read")

    with nothing_recorded():
        answer = send(api, "post", f"{PEOPLE}/{developer.pk}/deactivate", {})

    assert answer.status_code == 403
    assert answer.json()["message"].startswith("This token may only read.")
    assert api.get(PEOPLE).status_code == 200


def test_the_browsers_session_reads_but_needs_csrf_to_change(administrator, developer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator, "django.contrib.auth.backends.ModelBackend")

    answer = client.post(f"{PEOPLE}/{developer.pk}/deactivate")

    assert client.get(PEOPLE).status_code == 200
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["message"]


def test_tokens_are_issued_and_listed_without_their_secret(validator, api_of):
    api = api_of(validator)

    answer = send(api, "post", TOKENS, {"name": "report", "scope": "read"})

    body = answer.json()
    listed = api.get(TOKENS).json()["results"]
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert with_token(body["secret"]).get("/api/v1/me").status_code == 200
    assert [row["name"] for row in listed] == ["report", "test"]
    assert body["secret"] not in json.dumps(listed)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"name": ["a"]}, "name"),
        ({"scope": "admin"}, "scope"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"days": 1.5}, "days"),
        ({"days": "many"}, "days"),
        ({"days": 10**400}, "days"),
    ],
)
def test_issue_token_refuses_invalid_input(validator, api_of, changes, field):
    api = api_of(validator)
    data = {"name": "report", "scope": "read", "days": 30, **changes}

    with nothing_recorded():
        answer = send(api, "post", TOKENS, data)

    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid"
    assert list(answer.json()["fields"]) == [field]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"name": NaN}', 400),
        (b"[" * 100_000, 400),
    ],
)
@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("post", TOKENS),
        ("post", PEOPLE),
        ("patch", PEOPLE + "/{developer}"),
        ("post", PEOPLE + "/{developer}/set-agency-roles"),
    ],
)
def test_a_body_of_the_wrong_kind_is_answered(
    world, administrator, api_of, method, address, body, status
):
    api = api_of(administrator)

    with nothing_recorded():
        answer = send(api, method, address.format(developer=world.developer.pk), body)

    if method == "patch" and body == b"":
        status = 200  # nothing to change
    assert answer.status_code == status


def test_revoke_token_through_the_api(validator, api_of, administrator):
    api = api_of(validator)
    token = ApiToken.objects.get()

    foreign = send(api_of(administrator), "post", f"{TOKENS}/{token.pk}/revoke", {})
    first = send(api, "post", f"{TOKENS}/{token.pk}/revoke", {})
    second = send(api, "post", f"{TOKENS}/{token.pk}/revoke", {})

    assert foreign.status_code == 404
    assert first.json()["revoked_at"] is not None
    assert second.status_code == 401


def test_people_are_created_read_and_listed(administrator, api_of):
    api = api_of(administrator)

    with one_event("account.created") as events:
        created = send(api, "post", PEOPLE, {**PERSON, "agency_roles": ["auditor"]})

    read = api.get(created["Location"])
    listed = api.get(PEOPLE, {"search": "new@"}).json()
    assert created.status_code == 201
    assert read.json() == created.json()
    assert listed == {"results": [created.json()], "next": None}
    assert "password" not in created.json()
    assert events[0].channel == "api"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "ada@AGENCY.example"}, "email"),
        ({"full_name": "a\0b"}, "full_name"),
        ({"title": "x" * 151}, "title"),
        ({"password": "short"}, "password"),
        ({"agency_roles": ["king"]}, "agency_roles"),
        ({"agency_roles": "auditor"}, "agency_roles"),
    ],
)
def test_create_person_refuses_invalid_input(administrator, api_of, changes, field):
    api = api_of(administrator)

    answer = send(api, "post", PEOPLE, {**PERSON, **changes})

    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == [field]


def test_edit_person_changes_what_is_given(developer, administrator, api_of):
    api = api_of(administrator)
    changes = {"title": "Lead", "email": "x@y.example"}

    with one_event("account.edited") as events:
        answer = send(api, "patch", f"{PEOPLE}/{developer.pk}", changes)

    assert answer.json()["title"] == "Lead"
    assert answer.json()["full_name"] == "Dev Developer"
    assert answer.json()["email"] == "developer@agency.example"
    assert events[0].changes == {"title": ["", "Lead"]}


def test_set_agency_roles_and_deactivate(developer, administrator, api_of):
    api = api_of(administrator)
    address = f"{PEOPLE}/{developer.pk}"

    roles = send(
        api, "post", f"{address}/set-agency-roles", {"agency_roles": ["auditor"]}
    )
    closed = send(api, "post", f"{address}/deactivate", {})
    again = send(api, "post", f"{address}/deactivate", {})

    assert roles.json()["agency_roles"] == ["auditor"]
    assert closed.json()["is_active"] is False
    assert (again.status_code, again.json()["error"]) == (409, "wrong_state")


def test_a_refusal_is_answered_with_its_reason_and_recorded(developer, api_of):
    api = api_of(developer)

    with one_event("access.refused") as events:
        answer = send(api, "post", PEOPLE, PERSON)

    assert answer.status_code == 403
    assert answer.json() == {
        "error": "refused",
        "message": "Only an administrator can do this.",
    }
    assert events[0].actor_id == developer.pk
    assert events[0].channel == "api"


@pytest.mark.parametrize("address", [TOKENS, PEOPLE])
def test_lists_cost_the_same_with_many_rows(administrator, api_of, address):
    api = api_of(administrator)
    few = queries_of(api, address)
    for number in range(20):
        people.person(f"p{number}@agency.example")
        actions.issue_token(name="t", scope="read", days=1, by=administrator)

    many = queries_of(api, address)

    assert many == few


def test_the_accounts_of_others_are_not_there(developer, validator, api_of):
    assert api_of(developer).get(f"{PEOPLE}/{validator.pk}").status_code == 404
    assert User.objects.filter(pk=validator.pk).exists()
