"""Shape of the REST API: error body, keyset paging, ETags, base serializer field."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from rest_framework import exceptions
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from apps.core.errors import Invalid, PortalError

MAX_PAGE_SIZE = 200
HTTP_OK = 200


def error_body(
    code: str, message: str, fields: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Build the one error body of the API."""
    body: dict[str, Any] = {"error": code, "message": message}
    if fields:
        body["fields"] = fields
    return body


def error_response(error: PortalError) -> JsonResponse:
    """Answer a `PortalError` outside of DRF."""
    return JsonResponse(
        error_body(error.code, error.message, error.fields), status=error.status
    )


def portal_exception_handler(
    exception: Exception, context: dict[str, Any]
) -> Response | None:
    """Turn every expected error into `{"error", "message", "fields"}`.

    Validation errors answer 422; DRF would say 400.
    """
    if isinstance(exception, PortalError):
        context["request"]._request.portal_error = exception
        return Response(
            error_body(exception.code, exception.message, exception.fields),
            status=exception.status,
        )
    if isinstance(exception, exceptions.ValidationError):
        return Response(
            error_body(
                "invalid", "The input has errors; see fields.", _flat(exception.detail)
            ),
            status=422,
        )
    if isinstance(exception, Http404):
        exception = exceptions.NotFound("There is nothing here that you can see.")
    if isinstance(exception, PermissionDenied):
        exception = exceptions.PermissionDenied()
    response = exception_handler(exception, context)
    if response is not None and isinstance(exception, exceptions.APIException):
        detail = exception.detail
        code = detail.code if isinstance(detail, exceptions.ErrorDetail) else "error"
        response.data = error_body(code or "error", str(detail))
    return response


def _flat(detail: Any) -> dict[str, Any]:
    """Bring DRF's nested details to field → sentence."""
    if isinstance(detail, dict):
        return {
            str(key): " ".join(str(item) for item in value)
            if isinstance(value, list)
            else _flat(value)
            for key, value in detail.items()
        }
    return {"input": " ".join(str(item) for item in detail)}


class KeysetPagination(BasePagination):
    """Page by primary key, newest first; the cost does not grow with the table.

    Keys are UUIDv7 or big integers, so that key order is time order; a view may name
    another field than the primary key as its `page_key`. Query string:
    `limit` (1 to 200) and `after`, an opaque cursor taken from `next`.
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any]:
        limit = _limit(request.query_params.get("limit"))
        page = keyset_page(
            queryset,
            after=request.query_params.get("after"),
            limit=limit,
            key=getattr(view, "page_key", "pk"),
        )
        self._next = None
        if page.next_cursor:
            query = request.query_params.copy()
            query["after"] = page.next_cursor
            self._next = request.build_absolute_uri(
                f"{request.path}?{query.urlencode()}"
            )
        return page.rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self._next})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {"type": "string", "format": "uri", "nullable": True},
            },
        }


def _limit(text: str | None) -> int:
    if text is None:
        return 50
    # No more than three digits are turned into a number.
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise Invalid(
            f"limit must be a whole number from 1 to {MAX_PAGE_SIZE}.",
            fields={"limit": "Out of range."},
        )
    return int(text)


class Page:
    """One page of rows and the cursor of the next, if there is one."""

    def __init__(self, rows: list[Any], next_cursor: str | None):
        self.rows = rows
        self.next_cursor = next_cursor


def keyset_page(
    queryset: QuerySet[Any], *, after: str | None, limit: int = 50, key: str = "pk"
) -> Page:
    """Take one page of `queryset`, newest key first. Pages and API share it.

    Args:
        queryset: rows with a time-ordered key.
        after: cursor of the last row seen; None or empty for the newest page.
        limit: rows on the page.
        key: the field of the key.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    if after:
        bound = _decode(after, queryset.model, key)
        queryset = queryset.filter(**{f"{key}__lt": bound})
    rows = list(queryset.order_by(f"-{key}")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, _encode(getattr(rows[-1], key)) if more else None)


def _encode(key: UUID | int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _decode(cursor: str, model: type[Model], key: str) -> Any:
    field: Any = model._meta.pk if key == "pk" else model._meta.get_field(key)
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return field.to_python(text)
    except (ValueError, ValidationError) as error:
        raise Invalid(
            "The page cursor is not valid; start from the first page."
        ) from error


def with_etag(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Give a finished response a strong ETag and answer 304 when it is unchanged."""
    etag = f'"{hashlib.sha256(response.content).hexdigest()}"'
    conditional = get_conditional_response(request, etag=etag, response=response)
    answer: HttpResponse = conditional or response
    answer["ETag"] = etag
    return answer


class ETagMixin(APIView):
    """Give every successful read of an API view a strong ETag."""

    def finalize_response(  # type: ignore[override]  # 304 is Django's own answer
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Render, digest, and answer 304 when the caller has the same content."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in {"GET", "HEAD"} or finished.status_code != HTTP_OK:
            return finished
        finished["Cache-Control"] = "private, no-cache"
        return with_etag(request._request, finished.render())
