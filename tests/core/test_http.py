import pytest
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from apps.core.http import redirect_after_success, wants_fragment

HTMX = {"HX-Request": "true"}
BOOSTED = {**HTMX, "HX-Boosted": "true"}


def request(headers=None):
    made = RequestFactory().get("/x/", headers=headers or {})
    made.htmx = HtmxDetails(made)
    return made


@pytest.mark.parametrize(
    ("headers", "wanted"), [({}, False), (HTMX, True), (BOOSTED, False)]
)
def test_only_htmx_that_is_not_boosted_wants_a_fragment(headers, wanted):
    assert wants_fragment(request(headers)) is wanted


def test_redirect_after_success_sends_the_browser_on():
    answer = redirect_after_success(request(), "accounts:account")

    assert (answer.status_code, answer["Location"]) == (302, "/account/")


def test_redirect_after_success_tells_htmx_to_go_on():
    answer = redirect_after_success(request(HTMX), "projects:members", slug="a")

    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/projects/a/members/")
