"""Request context, and errors turned into answers."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.context import WorkContext, working
from apps.core.errors import PortalError
from apps.core.ids import new_id
from apps.core.rest import error_response

logger = logging.getLogger(__name__)

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
        if not isinstance(exception, PortalError):
            return None
        request.portal_error = exception  # type: ignore[attr-defined]
        if is_api(request):
            return error_response(exception)
        return render(
            request,
            "errors/error.html",
            {
                "code": exception.status,
                "title": TITLES.get(exception.status, "This could not be done"),
                "message": exception.message,
                "fields": exception.fields,
            },
            status=exception.status,
        )


TITLES = {
    403: "You may not do this",
    409: "This is not possible now",
    413: "The file is too large",
    422: "Something needs correcting",
}
