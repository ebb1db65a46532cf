"""Refusals and failures leave a trace although their transaction was rolled back."""

import logging
from collections.abc import Callable

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse

from apps.audit import actions
from apps.core.errors import Refused

logger = logging.getLogger(__name__)

READING = ("GET", "HEAD", "OPTIONS")
OF_THE_CALLER = (Http404, PermissionDenied, SuspiciousOperation, BadRequest)


class RecordRefusalsMiddleware:
    """Record each answer 403 that a rule gave, and each change that met an error."""

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

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if request.method in READING or isinstance(exception, OF_THE_CALLER):
            return
        if not request.user.is_authenticated:
            return
        try:
            actions.record_failure(
                by=request.user,
                address=request.path,
                error=type(exception).__name__,
            )
        except DatabaseError:
            logger.exception("a failure could not be recorded")
