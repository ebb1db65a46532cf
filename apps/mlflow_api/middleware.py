"""Errors from before a view was reached, in MLflow's form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core.errors import PortalError
from apps.mlflow_api.errors import response_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

PATHS = (
    "/api/2.0/mlflow",
    "/api/3.0/mlflow",
    "/ajax-api/",
    "/get-artifact",
    "/graphql",
    "/v1/traces",
)


class MlflowErrorsMiddleware:
    """Word what other middleware refused as MLflow's clients expect it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        error = getattr(request, "portal_error", None)
        if isinstance(error, PortalError) and request.path.startswith(PATHS):
            return response_to(error)
        return response
