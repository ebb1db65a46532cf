import base64
import json

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused
from apps.core.rest import (
    ETagMixin,
    KeysetPagination,
    keyset_page,
    portal_exception_handler,
)

PROJECTS = "/api/v1/projects"


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def handled(exception: Exception) -> Response | None:
    request = Request(RequestFactory().get("/api/v1/x"))
    return portal_exception_handler(exception, {"request": request})


def pages(queryset, limit: int) -> list[list]:
    found, after = [], None
    while True:
        page = keyset_page(queryset, after=after, limit=limit)
        found.append(page.rows)
        after = page.next_cursor
        if after is None:
            return found


@pytest.mark.parametrize("model", [User, AuditEvent])
def test_keyset_page_walks_all_rows_newest_first(world, model):
    everything = list(model.objects.order_by("-pk"))

    found = pages(model.objects.all(), limit=3)

    assert [row for page in found for row in page] == everything
    assert {len(page) for page in found[:-1]} == {3}
    assert 1 <= len(found[-1]) <= 3


def test_keyset_page_that_is_just_full_has_no_next(world):
    count = User.objects.count()

    page = keyset_page(User.objects.all(), after="", limit=count)

    assert len(page.rows) == count
    assert page.next_cursor is None


def test_keyset_page_of_nothing_is_empty(db):
    page = keyset_page(AuditEvent.objects.none(), after=None)

    assert (page.rows, page.next_cursor) == ([], None)


@pytest.mark.parametrize(
    "after",
    [
        "?",
        "é",
        "!!!!",
        "a",
        cursor("no key"),
        cursor("1; drop table"),
        cursor("\0"),
        cursor("9" * 5000),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
@pytest.mark.parametrize("model", [User, AuditEvent])
def test_keyset_page_refuses_a_cursor_that_is_not_ours(db, model, after):
    with pytest.raises(Invalid, match="page cursor is not valid"):
        keyset_page(model.objects.all(), after=after)


def test_keyset_page_takes_a_number_beyond_all_keys(world):
    page = keyset_page(AuditEvent.objects.all(), after=cursor("9" * 30))

    assert len(page.rows) == AuditEvent.objects.count()


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "ten", "", "²", "9" * 5000])
def test_a_list_refuses_a_limit_out_of_range(world, api_of, limit):
    answer = api_of(world.auditor).get(PROJECTS, {"limit": limit})

    assert answer.status_code == 422
    assert answer.json()["fields"] == {"limit": "Out of range."}


def test_a_list_keeps_its_query_in_next(world, api_of):
    api = api_of(world.administrator)

    first = api.get("/api/v1/people", {"limit": "1", "search": "agency"}).json()
    second = api.get(first["next"]).json()

    assert "search=agency" in first["next"]
    assert len(first["results"]) == len(second["results"]) == 1
    assert first["results"] != second["results"]


def test_the_page_shape_stands_in_the_schema():
    schema = KeysetPagination().get_paginated_response_schema({"type": "array"})

    assert schema["required"] == ["results", "next"]
    assert schema["properties"]["results"] == {"type": "array"}


@pytest.mark.parametrize(
    ("exception", "status", "body"),
    [
        (
            Refused("Not you."),
            403,
            {"error": "refused", "message": "Not you."},
        ),
        (
            Invalid("No.", fields={"name": "Too long."}),
            422,
            {"error": "invalid", "message": "No.", "fields": {"name": "Too long."}},
        ),
        (
            exceptions.ValidationError({"a": ["One.", "Two."], "b": {"c": ["Three."]}}),
            422,
            {
                "error": "invalid",
                "message": "The input has errors; see fields.",
                "fields": {"a": "One. Two.", "b": {"c": "Three."}},
            },
        ),
        (
            exceptions.ValidationError("Not at all."),
            422,
            {
                "error": "invalid",
                "message": "The input has errors; see fields.",
                "fields": {"input": "Not at all."},
            },
        ),
        (
            Http404(),
            404,
            {
                "error": "not_found",
                "message": "There is nothing here that you can see.",
            },
        ),
        (
            PermissionDenied(),
            403,
            {
                "error": "permission_denied",
                "message": "You do not have permission to perform this action.",
            },
        ),
        (
            exceptions.ParseError(),
            400,
            {"error": "parse_error", "message": "Malformed request."},
        ),
    ],
)
def test_every_expected_error_has_the_one_body(exception, status, body):
    answer = handled(exception)

    assert answer.status_code == status
    assert json.loads(json.dumps(answer.data)) == body


def test_an_error_with_many_details_has_a_code_too():
    assert handled(exceptions.APIException(["one", "two"])).data["error"] == "error"


def test_a_defect_is_not_dressed_as_an_answer():
    assert handled(KeyError("defect")) is None


class CountedView(ETagMixin, APIView):
    authentication_classes = ()
    permission_classes = ()
    status = 200

    def get(self, request):
        return Response({"rows": 3}, status=self.status)

    post = get


def counted(method="get", status=200, **headers):
    request = getattr(RequestFactory(), method)("/api/v1/x", headers=headers)
    return CountedView.as_view(status=status)(request)


def test_a_read_has_a_strong_etag_and_answers_304_to_it():
    first = counted()
    again = counted(**{"If-None-Match": first["ETag"]})
    changed = counted(**{"If-None-Match": '"another"'})

    assert first["ETag"].startswith('"')
    assert first["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert changed.status_code == 200


@pytest.mark.parametrize(("method", "status"), [("post", 200), ("get", 202)])
def test_only_a_successful_read_has_an_etag(method, status):
    assert "ETag" not in counted(method, status)


def test_the_cost_of_a_page_is_one_query(world):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        keyset_page(User.objects.all(), after=None)

    assert len(queries) == 1
