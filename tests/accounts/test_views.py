import re

import pytest
import time_machine
from django.test import Client

from apps.accounts import actions
from apps.accounts.models import ApiToken, User
from apps.audit.models import AuditEvent
from tests.costs import queries_of
from tests.factories import people
from tests.trail import nothing_recorded, one_event

SCRIPT = "\"><script>alert('x')</script>"
HTMX = {"HX-Request": "true"}
PERSON = {
    "email": "new@agency.example",
    "full_name": "New Person",
    "title": "",
    "organisation": "",
    "password": people.PASSWORD,
}


@pytest.fixture
def page_of(client_of):
    """Read a page as one of the people; its text."""

    def read(person: User, address: str, status: int = 200) -> str:
        answer = client_of(person).get(address)
        assert answer.status_code == status
        return answer.content.decode()

    return read


def sign_in(client: Client, email: str, password: str = people.PASSWORD, **kwargs):
    data = {"username": email, "password": password}
    return client.post("/sign-in/", data, **kwargs)


def issued(by: User, name: str = "report") -> ApiToken:
    return actions.issue_token(name=name, scope="read", days=10, by=by)[0]


def test_sign_in_opens_a_session_and_is_recorded(validator, client):
    with one_event("account.signed_in") as events:
        answer = sign_in(client, "Validator@Agency.example")

    assert answer.status_code == 302
    assert client.get("/account/").status_code == 200
    assert events[0].channel == "web"


def test_sign_in_goes_on_to_the_page_asked_for(validator, client):
    first = client.get("/account/")
    answer = client.post(
        first["Location"],
        {"username": validator.email, "password": people.PASSWORD},
    )

    assert first["Location"] == "/sign-in/?next=/account/"
    assert answer["Location"] == "/account/"


def test_sign_in_never_goes_on_to_another_site(validator, client):
    answer = client.post(
        "/sign-in/?next=https://evil.example/",
        {"username": validator.email, "password": people.PASSWORD},
    )

    assert not answer["Location"].startswith("https://evil")


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("validator@agency.example", "wrong"),
        ("nobody@agency.example", people.PASSWORD),
        ("worker@service.invalid", people.PASSWORD),
        ("", ""),
        ("a\0b", "x"),
        ("validator@agency.example", "\0"),
        (SCRIPT, SCRIPT),
        ("x" * 10_000, "x"),
    ],
)
def test_sign_in_fails_with_a_sentence(world, client, email, password):
    with one_event("account.sign_in_failed") as events:
        answer = sign_in(client, email, password)

    assert answer.status_code == 422
    assert events[0].actor_kind == "anonymous"
    assert events[0].changes == {"from_address": "127.0.0.1"}
    assert "<script>alert" not in answer.content.decode()
    assert client.get("/account/").status_code == 302


def test_sign_in_does_not_say_whether_an_account_exists(validator, client):
    known = sign_in(client, validator.email, "wrong").context["form"].errors
    unknown = sign_in(client, "nobody@agency.example", "wrong").context["form"].errors

    assert known == unknown


def test_sign_in_of_a_closed_account_fails(developer, administrator, client):
    actions.deactivate_person(person=developer, by=administrator)

    assert sign_in(client, developer.email).status_code == 422


def test_a_session_ends_when_the_account_is_closed(developer, administrator, client):
    sign_in(client, developer.email)
    actions.deactivate_person(person=developer, by=administrator)

    assert client.get("/account/").status_code == 302


def test_sign_in_refuses_a_service_account_even_with_a_password(worker, client):
    worker.set_password(people.PASSWORD)
    worker.save()

    with nothing_recorded():
        answer = sign_in(client, worker.email)

    assert answer.status_code == 403
    assert "Service accounts do not sign in." in answer.content.decode()
    assert client.get("/account/").status_code == 302


def test_sign_in_is_paused_after_repeated_failures(world, validator, settings):
    with time_machine.travel("2026-05-04T00:00:00Z", tick=False) as clock:
        wrong = [
            sign_in(Client(), spelled, "wrong").status_code
            for spelled in ("validator@agency.example", "VALIDATOR@agency.example")
            for _ in range(settings.AXES_FAILURE_LIMIT // 2)
        ]
        locked = sign_in(Client(), validator.email)
        somebody_else = sign_in(Client(), world.developer.email)
        clock.shift(16 * 60)
        later = sign_in(Client(), validator.email)

    assert wrong[:-1] == [422] * (settings.AXES_FAILURE_LIMIT - 1)
    kept = AuditEvent.objects.filter(type="account.locked_out")
    assert kept.get().target_id == str(validator.pk)
    assert locked.status_code == 429
    assert "Sign-in is paused" in locked.content.decode()
    assert somebody_else.status_code == 302
    assert later.status_code == 302


def test_sign_out_ends_the_session(validator, client_of):
    client = client_of(validator)

    client.post("/sign-out/")

    assert client.get("/account/").status_code == 302


def test_change_password_records_event(validator, client_of):
    client = client_of(validator)
    data = {
        "old_password": people.PASSWORD,
        "new_password1": "another battery staple",
        "new_password2": "another battery staple",
    }

    with one_event("account.password_changed"):
        answer = client.post("/account/change-password/", data)

    validator.refresh_from_db()
    assert answer["Location"] == "/account/"
    assert validator.check_password("another battery staple")
    assert "Your password is changed." in client.get("/account/").content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"old_password": "wrong"},
        {"new_password1": "short", "new_password2": "short"},
        {"new_password2": "different battery staple"},
        {"new_password1": "a\0battery battery staple"},
    ],
)
def test_change_password_refuses_invalid_input(validator, client_of, changes):
    data = {
        "old_password": people.PASSWORD,
        "new_password1": "another battery staple",
        "new_password2": "another battery staple",
        **changes,
    }

    with nothing_recorded():
        answer = client_of(validator).post("/account/change-password/", data)

    validator.refresh_from_db()
    assert answer.status_code == 422
    assert validator.check_password(people.PASSWORD)


def test_account_shows_roles_and_tokens(validator, page_of):
    token = issued(validator)
    actions.revoke_token(token=issued(validator, "old one"), by=validator)

    page = page_of(validator, "/account/")

    assert "Validator" in page
    assert token.prefix in page
    assert f"/account/tokens/{token.pk}/revoke/" in page
    assert "old one" in page


def test_issue_token_shows_the_secret_once(validator, client_of):
    client = client_of(validator)

    answer = client.post(
        "/account/issue-token/", {"name": SCRIPT, "scope": "read", "days": "30"}
    )

    page = answer.content.decode()
    [secret] = set(re.findall(r"mlp_[\w-]{40,}", page))
    assert answer["Cache-Control"].startswith("max-age=0")
    assert "<script>alert" not in page
    assert ApiToken.objects.usable().get().prefix == secret[:10]
    again = client.get("/account/").content.decode()
    assert secret not in again
    assert "<script>alert" not in again


def test_issue_token_shows_what_the_mlflow_client_needs(world, client_of):
    slug = world.project.slug
    given = {"name": "mlflow", "scope": "write", "days": "30", "default_project": slug}

    answer = client_of(world.data_scientist).post("/account/issue-token/", given)

    page = answer.content.decode()
    assert "export MLFLOW_TRACKING_URI=http://testserver\n" in page
    assert "export MLFLOW_DISABLE_TELEMETRY=true" in page
    assert f"{slug}/my-experiment" in page
    assert ApiToken.objects.get().default_project == world.project


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"default_project": "nothing"},
        {"name": "x" * 101},
        {"name": "a\0b"},
        {"scope": "admin"},
        {"days": "0"},
        {"days": "366"},
        {"days": "ten"},
        {"days": "9" * 5000},
    ],
)
def test_issue_token_refuses_invalid_input(validator, client_of, changes):
    data = {"name": "report", "scope": "read", "days": "30", **changes}

    with nothing_recorded():
        answer = client_of(validator).post("/account/issue-token/", data)

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == list(changes)


def test_revoke_token_ends_it_and_says_so(validator, client_of):
    token = issued(validator)
    client = client_of(validator)

    answer = client.post(f"/account/tokens/{token.pk}/revoke/")

    assert answer["Location"] == "/account/"
    assert not ApiToken.objects.usable().exists()
    assert "Token report no longer works." in client.get("/account/").content.decode()


def test_revoke_token_twice_is_the_wrong_state(validator, client_of):
    token = actions.revoke_token(token=issued(validator), by=validator)

    answer = client_of(validator).post(f"/account/tokens/{token.pk}/revoke/")

    assert answer.status_code == 409
    assert "This token is already revoked." in answer.content.decode()


def test_revoke_token_does_not_know_the_tokens_of_others(
    validator, administrator, client_of
):
    token = issued(validator)

    answer = client_of(administrator).post(f"/account/tokens/{token.pk}/revoke/")

    assert answer.status_code == 404
    assert ApiToken.objects.usable().get() == token


def test_people_lists_and_finds_accounts(world, administrator, page_of):
    everybody = page_of(administrator, "/people/")
    found = page_of(administrator, "/people/?search=vera")
    nobody = page_of(administrator, "/people/?search=no+such+person")

    assert "Vera Validator" in everybody
    assert "Service" in everybody
    assert "Vera Validator" in found
    assert "Otto Outsider" not in found
    assert "Nobody found" in nobody


def test_people_is_paged(world, administrator, page_of):
    for number in range(60):
        people.person(f"p{number}@agency.example", f"Person {number:02}")

    first = page_of(administrator, "/people/?search=Person")
    [after] = re.findall(r"after=([\w-]+)", first)
    second = page_of(administrator, f"/people/?search=Person&after={after}")

    assert "Person 59" in first
    assert "Person 00" not in first
    assert "Person 00" in second


@pytest.mark.parametrize("address", ["/people/", "/account/"])
def test_lists_cost_the_same_with_many_rows(administrator, client_of, address):
    client = client_of(administrator)
    issued(administrator)
    few = queries_of(client, address)
    for number in range(20):
        people.person(f"p{number}@agency.example")
        issued(administrator)

    many = queries_of(client, address)

    assert many == few


def test_a_refused_page_says_why_and_is_recorded(developer, client_of):
    with one_event("access.refused") as events:
        answer = client_of(developer).get("/people/")

    assert answer.status_code == 403
    assert "Only an administrator can do this." in answer.content.decode()
    assert events[0].actor_id == developer.pk
    assert events[0].changes == {"address": "/people/"}
    assert events[0].reason == "Only an administrator can do this."


def test_person_shows_the_account_and_what_is_possible(
    world, administrator, validator, page_of
):
    page = page_of(administrator, f"/people/{validator.pk}/")
    own = page_of(administrator, f"/people/{administrator.pk}/")
    service = page_of(administrator, f"/people/{world.worker.pk}/")

    assert "Inspection: Validator" in page
    assert f"/people/{validator.pk}/deactivate/" in page
    assert "You cannot deactivate your own account." in own
    assert "Service accounts belong to the portal" in service


def test_create_person_goes_to_the_new_account(administrator, client_of):
    data = {**PERSON, "agency_roles": ["auditor", "ai_official"]}

    with one_event("account.created"):
        answer = client_of(administrator).post("/people/create/", data)

    created = User.objects.get(email=PERSON["email"])
    assert answer["Location"] == created.get_absolute_url()
    assert created.agency_roles == ["ai_official", "auditor"]


def test_create_person_through_htmx_tells_the_browser_to_go_on(
    administrator, client_of
):
    answer = client_of(administrator).post("/people/create/", PERSON, headers=HTMX)

    created = User.objects.get(email=PERSON["email"])
    assert answer["HX-Redirect"] == created.get_absolute_url()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "VALIDATOR@agency.example"}, "email"),
        ({"email": "x" * 250 + "@agency.example"}, "email"),
        ({"full_name": ""}, "full_name"),
        ({"full_name": "x" * 151}, "full_name"),
        ({"full_name": "a\0b"}, "full_name"),
        ({"organisation": "a\0b"}, "organisation"),
        ({"title": "x" * 151}, "title"),
        ({"password": "short"}, "password"),
        ({"agency_roles": ["worker"]}, "agency_roles"),
    ],
)
def test_create_person_refuses_invalid_input(
    validator, administrator, client_of, changes, field
):
    with nothing_recorded():
        answer = client_of(administrator).post("/people/create/", {**PERSON, **changes})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_script_in_every_text_of_a_person_is_escaped(administrator, client_of, page_of):
    texts = {"full_name": SCRIPT, "title": SCRIPT, "organisation": SCRIPT}
    client_of(administrator).post("/people/create/", {**PERSON, **texts})
    created = User.objects.get(email=PERSON["email"])
    token = issued(created, SCRIPT)

    for reader, address in [
        (administrator, f"/people/{created.pk}/"),
        (administrator, f"/people/{created.pk}/edit/"),
        (administrator, f"/people/{created.pk}/set-agency-roles/"),
        (administrator, "/people/"),
        (administrator, "/people/?search=" + SCRIPT),
        (administrator, "/audit/"),
        (created, "/account/"),
        (created, "/audit/"),
    ]:
        page = page_of(reader, address)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
    event = AuditEvent.objects.get(target_id=str(token.pk))
    assert "<script>alert" not in page_of(created, event.get_absolute_url())


def test_edit_person_changes_the_profile(developer, administrator, client_of):
    client = client_of(administrator)
    address = f"/people/{developer.pk}/edit/"
    data = {"full_name": "Dev Renamed", "title": "Lead", "organisation": "Agency"}

    shown = client.get(address).content.decode()
    answer = client.post(address, data)
    invalid = client.post(address, {**data, "full_name": ""})

    developer.refresh_from_db()
    assert 'value="Dev Developer"' in shown
    assert answer["Location"] == developer.get_absolute_url()
    assert developer.full_name == "Dev Renamed"
    assert invalid.status_code == 422


def test_set_agency_roles_replaces_them(auditor, administrator, client_of):
    client = client_of(administrator)
    address = f"/people/{auditor.pk}/set-agency-roles/"

    answer = client.post(address, {})
    invalid = client.post(address, {"agency_roles": ["worker"]})

    auditor.refresh_from_db()
    assert answer.status_code == 302
    assert auditor.agency_roles == []
    assert invalid.status_code == 422


def test_deactivate_person_closes_the_account(developer, administrator, client_of):
    client = client_of(administrator)
    address = f"/people/{developer.pk}/deactivate/"

    first = client.post(address)
    page = client.get(first["Location"]).content.decode()
    second = client.post(address)

    assert "The account of Dev Developer is closed." in page
    assert "Closed" in page
    assert second.status_code == 409


def test_a_form_without_the_csrf_token_changes_nothing(developer, administrator):
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator, "django.contrib.auth.backends.ModelBackend")

    answer = client.post(f"/people/{developer.pk}/deactivate/")

    developer.refresh_from_db()
    assert answer.status_code == 403
    assert "reload the page" in answer.content.decode()
    assert developer.is_active


@pytest.mark.parametrize("body", [b"\xff\xfe=\xe9", b"full_name=%FF%FE&email=%00"])
def test_a_form_in_a_wrong_encoding_is_invalid(administrator, client_of, body):
    answer = client_of(administrator).post(
        "/people/create/", body, content_type="application/x-www-form-urlencoded"
    )

    assert answer.status_code == 422
