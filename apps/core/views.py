"""Error pages, the health answer, and the gallery of components."""

from typing import Final

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe

from apps.core import gallery
from apps.core.middleware import is_api
from apps.core.rest import error_body

_ERRORS: Final = {
    400: (
        "bad_request",
        "This request could not be understood",
        "Go back and try again; if it came from a program, check what it sends.",
    ),
    403: (
        "refused",
        "You may not do this",
        "Ask a manager of the project if you need this for your work.",
    ),
    404: (
        "not_found",
        "There is nothing here that you can see",
        "The address may be wrong, or the project may not list you as a member.",
    ),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 403, reason=str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _error(
        request,
        403,
        reason="The form was too old or came from another site, so nothing was "
        "changed. Go back, reload the page and send it again.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    if is_api(request):
        body = error_body("internal", "Something went wrong on our side.")
        return JsonResponse(body, status=500)
    return HttpResponse(render_to_string("errors/500.html"), status=500)


def _error(request: HttpRequest, status: int, *, reason: str = "") -> HttpResponse:
    code, title, next_step = _ERRORS[status]
    message = reason or f"{title}."
    if is_api(request):
        return JsonResponse(error_body(code, message), status=status)
    context = {
        "code": status,
        "title": title,
        "message": reason,
        "next_step": next_step,
    }
    return render(request, "errors/error.html", context, status=status)


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    try:
        parts = {
            name: import_string(path)() for name, path in settings.HEALTH_PARTS.items()
        }
    except DatabaseError:
        return JsonResponse({"status": "failed", "database": "unreachable"}, status=503)
    return JsonResponse({"status": "ok", "version": settings.PORTAL_VERSION, **parts})


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    if settings.PORTAL_MODE == "production":
        raise Http404
    return render(request, "core/components.html", gallery.samples())
