import mimetypes
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from apps.core import blobs
from apps.core.http import send_blob
from apps.experiments.actions import ArtifactFile
from apps.experiments.models import StoredFile
from apps.mlflow_api.caller import Caller
from apps.mlflow_api.door import door, endpoint
from apps.mlflow_api.errors import INVALID, MlflowError
from apps.mlflow_api.fields import NEEDED_TEXT, TEXT, read_fields
from apps.mlflow_api.file_owners import RunFiles, listing, owner_of
from apps.mlflow_api.paths import safe_path
from apps.mlflow_api.shapes import SCHEME, artifact_folder
from apps.mlflow_api.views_runs import RUN, run_of

Fields = dict[str, Any]

OTHER_MEDIA_TYPE = "application/octet-stream"
PATH = {"path": TEXT}


@endpoint({**RUN, "path": TEXT, "page_token": TEXT}, "GET", changes=False)
def list_artifacts(caller: Caller, given: Fields) -> Fields:
    run = run_of(caller, given)
    folder = safe_path(given.get("path", "")).rstrip("/")
    return {
        "root_uri": f"{SCHEME}{artifact_folder(run)}",
        "files": listing(run.artifacts.all(), folder, whole_paths=True),
    }


@door("GET", changes=False)
def get_artifact(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
    given = read_fields(request, {**RUN, "path": NEEDED_TEXT})
    owner = RunFiles(run_of(caller, given), caller.user)
    return _send(owner.take(safe_path(given["path"])))


@door("GET", changes=False)
def list_folder(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
    path = read_fields(request, PATH).get("path", "")
    owner, folder = owner_of(caller, path)
    files = listing(owner.files(), folder, whole_paths=False)
    return JsonResponse({"files": files} if files else {})


def artifact(request: HttpRequest, path: str) -> HttpResponseBase:
    """Part reading from changing: each has its own door."""
    views = {"PUT": _put, "DELETE": _delete}
    return views.get(request.method or "", _get)(request, path)


artifact.csrf_exempt = True  # type: ignore[attr-defined]  # the doors see to tokens


@door("GET", "HEAD", changes=False)
def _get(request: HttpRequest, caller: Caller, /, path: str) -> HttpResponseBase:
    owner, inner = owner_of(caller, path)
    return _send(owner.take(inner))


@door("PUT")
def _put(request: HttpRequest, caller: Caller, /, path: str) -> HttpResponseBase:
    owner, inner = owner_of(caller, path)
    owner.ensure_may_add()
    owner.add(_stored(request, inner))
    return JsonResponse({})


@door("DELETE")
def _delete(request: HttpRequest, caller: Caller, /, path: str) -> HttpResponseBase:
    owner, inner = owner_of(caller, path)
    owner.delete(inner)
    return JsonResponse({})


def _stored(request: HttpRequest, path: str) -> ArtifactFile:
    """Stream the body into the store, and see that it came whole."""
    claimed = request.headers.get("Content-Length", "")
    if not claimed.isdecimal():
        raise MlflowError(INVALID, "Send the length of the file as Content-Length.")
    blobs.require_room(int(claimed))
    blob = blobs.store_stream(request)
    if blob.size_bytes != int(claimed):
        raise MlflowError("BAD_REQUEST", "The file broke off; send it again.")
    return ArtifactFile(path, blob, mimetypes.guess_type(path)[0] or OTHER_MEDIA_TYPE)


def _send(file: StoredFile) -> HttpResponseBase:
    response = send_blob(file.sha256, name=file.file_name, media_type=file.media_type)
    response["X-Content-Type-Options"] = "nosniff"
    return response
