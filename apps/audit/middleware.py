"""Refusals leave a trace although their transaction was rolled back."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.audit import actions
from apps.core.errors import Refused


class RecordRefusalsMiddleware:
    """Record each answer 403 that a rule gave to a signed-in person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        error = getattr(request, "portal_error", None)
        if isinstance(error, Refused) and request.user.is_authenticated:
            actions.record_refusal(
                by=request.user, address=request.path, reason=error.message
            )
        return response
