"""What belongs to no experiment: what the server is, and what it is not."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from apps.mlflow_api.errors import MlflowError, response_to

# The release whose interface this is; clients read it as the version of the server.
VERSION = "3.17.2"


@csrf_exempt
def server_info(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return not_here(request)
    # Asked before anybody signs in, and says nothing about anybody.
    return JsonResponse(
        {
            "store_type": "SqlStore",
            "workspaces_enabled": False,
            "trace_archival_enabled": False,
            "multipart_uploads_enabled": settings.ARTIFACT_PARTS,
            "multipart_downloads_enabled": False,
        }
    )


@require_safe
def version(request: HttpRequest) -> HttpResponse:
    return HttpResponse(VERSION, content_type="text/plain")


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    return HttpResponse("OK", content_type="text/plain")


@csrf_exempt
def not_here(request: HttpRequest, **_: str) -> HttpResponse:
    return response_to(
        MlflowError(
            "ENDPOINT_NOT_FOUND",
            f"The portal has no {request.method} {request.path[:200]}: this part of "
            "MLflow is not offered here.",
            404,
        )
    )
