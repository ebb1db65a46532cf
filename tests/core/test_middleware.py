import pytest
from django.test import RequestFactory, override_settings
from django.urls import path

from apps.core.context import current
from apps.core.errors import Invalid, PortalError, Refused, TooLarge, WrongState
from apps.core.middleware import BodyLimitMiddleware, answer

ERRORS = [
    (Refused("Not you."), 403, "refused", "You may not do this"),
    (WrongState("Too late."), 409, "wrong_state", "This is not possible now"),
    (Invalid("Wrong."), 422, "invalid", "Something needs correcting"),
    (TooLarge("Too big."), 413, "too_large", "The file is too large"),
    (PortalError("Odd."), 400, "bad_request", "This could not be done"),
]
MEBIBYTE = 1024 * 1024


def raising(request):
    raise Invalid("Wrong <b>.", fields={"name": "Too <i>long."})


def breaking(request):
    raise KeyError("defect")


def telling(request):
    raise Refused(current().channel + " " + current().route)


urlpatterns = [
    path("raising/", raising),
    path("breaking/", breaking),
    path("telling/", telling),
    path("api/raising", raising),
    path("api/telling", telling),
]
own_addresses = override_settings(ROOT_URLCONF=__name__)


@pytest.fixture
def shown(db):
    """Ask for an error's page as a browser would."""

    def ask(error, **headers):
        request = RequestFactory().get("/x/", headers=headers)
        request.htmx = bool(headers)
        return answer(request, error)

    return ask


@pytest.mark.parametrize(("error", "status", "code", "title"), ERRORS)
def test_an_error_is_a_page_for_people(shown, error, status, code, title):
    page = shown(error)

    assert page.status_code == status
    assert title in page.content.decode()
    assert error.message in page.content.decode()
    assert "<html" in page.content.decode()


@pytest.mark.parametrize(("error", "status", "code", "title"), ERRORS)
def test_an_error_is_a_fragment_for_htmx(shown, error, status, code, title):
    fragment = shown(error, **{"HX-Request": "true"})

    assert fragment.status_code == status
    assert error.message in fragment.content.decode()
    assert "<html" not in fragment.content.decode()


@pytest.mark.parametrize(("error", "status", "code", "title"), ERRORS)
def test_an_error_is_json_for_the_api(error, status, code, title):
    body = answer(RequestFactory().get("/api/v1/x"), error)

    assert body.status_code == status
    assert body.headers["Content-Type"] == "application/json"
    assert f'"error": "{code}"' in body.content.decode()


@pytest.mark.django_db
@own_addresses
def test_the_error_of_a_view_is_answered_and_escaped(client):
    page = client.get("/raising/")
    api = client.get("/api/raising")

    assert page.status_code == api.status_code == 422
    assert "Wrong &lt;b&gt;." in page.content.decode()
    assert "Too &lt;i&gt;long." in page.content.decode()
    assert api.json()["fields"] == {"name": "Too <i>long."}


@pytest.mark.django_db
@own_addresses
def test_a_defect_stays_a_defect(client):
    with pytest.raises(KeyError):
        client.get("/breaking/")


@pytest.mark.django_db
@own_addresses
def test_the_context_names_channel_and_address(client):
    page = client.get("/telling/").content.decode()
    api = client.post("/api/telling").json()

    assert "web GET /telling/" in page
    assert api["message"] == "api POST /api/telling"
    assert current().route == ""


def test_every_answer_names_its_request(db, client):
    first, second = client.get("/healthz"), client.get("/nowhere/")

    assert len(first["X-Request-ID"]) == 32
    assert first["X-Request-ID"] != second["X-Request-ID"]


@pytest.mark.parametrize(
    ("address", "content_type", "claim", "status"),
    [
        ("/sign-in/", "application/x-www-form-urlencoded", 5 * MEBIBYTE + 1, 413),
        ("/sign-in/", "multipart/form-data; boundary=x", 2 * 1024**3, 413),
        ("/api/v1/projects", "application/json", 5 * MEBIBYTE + 1, 413),
        ("/api/v1/projects", "application/json", "9" * 5000, 413),
        ("/api/v1/projects", "application/json", "many", 401),
        ("/api/v1/projects", "application/json", "-1", 401),
    ],
)
def test_a_body_is_refused_by_the_length_it_claims(
    db, client, address, content_type, claim, status
):
    found = client.generic(
        "POST", address, b"", content_type, CONTENT_LENGTH=str(claim)
    )

    assert found.status_code == status


def test_a_form_may_carry_a_file_up_to_the_limit(settings):
    settings.UPLOAD_LIMIT_BYTES = 100 * MEBIBYTE
    middleware = BodyLimitMiddleware(lambda _request: "served")
    request = RequestFactory().post("/x/", {"file": "content"})
    request.META["CONTENT_LENGTH"] = str(100 * MEBIBYTE)

    assert middleware(request) == "served"


def test_too_large_a_body_says_how_much_is_taken(db, client):
    found = client.generic(
        "POST", "/api/v1/projects", b"", CONTENT_LENGTH=str(2 * 1024**3)
    )

    assert found.json() == {
        "error": "too_large",
        "message": "This request carries 2,048 MB; the portal takes up to 5 MB. "
        "Nothing was stored; send less.",
    }


@pytest.mark.parametrize(
    "address",
    [
        "/projects/?search=%00",
        "/people/?search=a%00b",
        "/audit/?person=%00",
        "/projects/in%00spection/members/",
        "/%00",
    ],
)
def test_a_nul_in_the_address_is_refused(administrator, client_of, address):
    page = client_of(administrator).get(address)

    assert page.status_code == 422
    assert "The address contains a NUL character" in page.content.decode()


def test_a_nul_in_the_address_of_the_api_is_refused(administrator, api_of):
    found = api_of(administrator).get("/api/v1/people?search=%00")

    assert found.status_code == 422
    assert found.json()["error"] == "invalid"


@pytest.mark.parametrize("query", ["%FF%FE", "%ED%A0%80", "%", "%E2%82", "\u2028"])
def test_broken_encodings_in_the_address_find_nothing(administrator, client_of, query):
    page = client_of(administrator).get(f"/people/?search={query}")

    assert page.status_code == 200
