from __future__ import annotations

import json
import re

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from apps.core import views


@pytest.fixture
def page_request():
    request = RequestFactory().get("/somewhere/")
    request.htmx = HtmxDetails(request)
    return request


def test_health_says_ok(db, client):
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["audit"] == "late"  # no sealer runs in a test


def test_health_fails_when_the_database_is_away(db, client):
    def broken(*_arguments):
        raise DatabaseError

    with connection.execute_wrapper(broken):
        answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json()["database"] == "unreachable"


@pytest.mark.django_db
def test_components_shows_the_gallery_without_sign_in(client):
    answer = client.get(reverse("core:components"))

    assert answer.status_code == 200
    html = answer.content.decode()
    assert " style=" not in html
    assert "<style" not in html
    assert " onclick=" not in html


def test_components_is_absent_in_production(db, client, settings):
    settings.PORTAL_MODE = "production"

    assert client.get(reverse("core:components")).status_code == 404


def test_not_found_is_a_page_or_json(db, client):
    page = client.get("/nowhere/at/all/")
    api = client.get("/api/v1/nowhere/at/all/")

    assert page.status_code == api.status_code == 404
    assert "There is nothing here that you can see" in page.content.decode()
    assert api.json()["error"] == "not_found"


def test_forbidden_shows_its_reason(db, page_request):
    answer = views.forbidden(page_request, PermissionDenied("Only <auditors> do."))

    assert answer.status_code == 403
    assert "Only &lt;auditors&gt; do." in answer.content.decode()


def test_error_for_htmx_is_a_fragment(db):
    request = RequestFactory().get("/x/", headers={"HX-Request": "true"})
    request.htmx = HtmxDetails(request)

    html = views.forbidden(request, PermissionDenied("No.")).content.decode()

    assert "<html" not in html
    assert "No." in html


def test_bad_request_does_not_repeat_what_was_sent(db, page_request):
    answer = views.bad_request(page_request, SuspiciousOperation("<secret>"))

    assert answer.status_code == 400
    assert "secret" not in answer.content.decode()


def test_csrf_failure_explains_itself(db, page_request):
    answer = views.csrf_failure(page_request, reason="CSRF cookie not set.")

    assert answer.status_code == 403
    assert "reload the page" in answer.content.decode()


def test_server_error_needs_no_database():
    page = views.server_error(RequestFactory().get("/x/"))
    api = views.server_error(RequestFactory().get("/api/v1/x"))

    assert page.status_code == api.status_code == 500
    assert b"Something went wrong" in page.content
    assert b'"error": "internal"' in api.content


@pytest.mark.django_db
def test_error_pages_carry_the_content_security_policy():
    answer = Client().get("/nowhere/at/all/")

    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_going_back_fetches_the_whole_page(client):
    """No page is kept in the browser, and htmx would put a part in its place."""
    page = client.get(reverse("core:components")).text

    (config,) = re.findall(r"name=\"htmx-config\"\s+content='([^']+)'", page)
    assert json.loads(config)["historyCacheSize"] == 0
    assert json.loads(config)["refreshOnHistoryMiss"] is True
