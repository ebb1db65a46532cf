"""Request context, and errors turned into answers."""

import logging
from collections.abc import Callable
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.context import WorkContext, working
from apps.core.errors import Invalid, PortalError, TooLarge
from apps.core.ids import new_id
from apps.core.rest import error_response

logger = logging.getLogger(__name__)

MEBIBYTE = 1024 * 1024
# What carries a piece of a file; source: tus resumable upload protocol 1.0.0, PATCH.
CHUNK_TYPE = "application/offset+octet-stream"

GetResponse = Callable[[HttpRequest], HttpResponse]


def is_api(request: HttpRequest) -> bool:
    """Say whether the caller expects JSON: everything below /api/."""
    return request.path.startswith("/api/")


class RequestContextMiddleware:
    """Give each request an id, and show it in the answer."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        context = WorkContext(
            request_id=new_id().hex,
            channel="api" if is_api(request) else "web",
            route=f"{request.method} {request.path}"[:200],
        )
        with working(context):
            response = self.get_response(request)
        response["X-Request-ID"] = context.request_id
        return response


class PortalErrorMiddleware:
    """Answer `Refused`, `WrongState` and `Invalid`; no view catches them."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        return (
            answer(request, exception) if isinstance(exception, PortalError) else None
        )


class BodyLimitMiddleware:
    """Refuse a body by the length it claims, before anything reads it.

    Forms are read by the CSRF check already, long before a view could object.
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        claimed, limit = _claimed_bytes(request), _limit_bytes(request)
        if claimed <= limit:
            return self.get_response(request)
        sentence = (
            f"This request carries {claimed / MEBIBYTE:,.0f} MB; the portal takes up "
            f"to {limit / MEBIBYTE:,.0f} MB. Nothing was stored; send less."
        )
        return answer(request, TooLarge(sentence))


class AddressMiddleware:
    """Refuse an address with a NUL character; no text in the database can hold one."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" not in unquote(request.get_full_path()):
            return self.get_response(request)
        return answer(
            request, Invalid("The address contains a NUL character; remove it.")
        )


def answer(request: HttpRequest, error: PortalError) -> HttpResponse:
    """Turn an error into the page or the JSON body that the caller expects."""
    request.portal_error = error  # type: ignore[attr-defined]
    if is_api(request):
        return error_response(error)
    return render(
        request,
        "errors/error.html",
        {
            "code": error.status,
            "title": TITLES.get(error.status, "This could not be done"),
            "message": error.message,
            "fields": error.fields,
        },
        status=error.status,
    )


def _claimed_bytes(request: HttpRequest) -> int:
    claim = request.headers.get("Content-Length", "")
    return int(claim[:20]) if claim.isdecimal() else 0


def _limit_bytes(request: HttpRequest) -> int:
    """Files come as forms, with some room for the other fields, or in chunks."""
    for beginning, limit in settings.STREAMED_BODIES.items():
        if request.path.startswith(beginning):
            return int(limit)
    rest: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    match request.content_type:
        case "multipart/form-data":
            return rest + int(settings.UPLOAD_LIMIT_BYTES)
        case _chunk if _chunk == CHUNK_TYPE:
            return int(settings.UPLOAD_CHUNK_BYTES)
    return rest


TITLES = {
    403: "You may not do this",
    409: "This is not possible now",
    410: "This is archived",
    413: "The file is too large",
    422: "Something needs correcting",
    507: "The portal has no room",
}
