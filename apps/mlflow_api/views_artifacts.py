from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from apps.core import blobs
from apps.core.http import send_blob
from apps.core.media_types import media_type_of
from apps.experiments import parts
from apps.experiments.actions import ArtifactFile
from apps.experiments.models import StoredFile
from apps.mlflow_api.bodies import FileBody, claimed_room
from apps.mlflow_api.caller import Caller
from apps.mlflow_api.door import door, endpoint
from apps.mlflow_api.fields import NEEDED_TEXT, TEXT, read_fields
from apps.mlflow_api.file_owners import RunFiles, listing, owner_of
from apps.mlflow_api.paths import safe_path
from apps.mlflow_api.shapes import SCHEME, artifact_folder
from apps.mlflow_api.views_runs import RUN, run_of

Fields = dict[str, Any]

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
    return send_file(owner.take(safe_path(given["path"])))


@door("GET", changes=False)
def list_folder(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
    path = read_fields(request, PATH).get("path", "")
    owner, folder = owner_of(caller, path)
    files = owner.listing(folder)
    return JsonResponse({"files": files} if files else {})


def artifact(request: HttpRequest, path: str) -> HttpResponseBase:
    """Part reading from changing: each has its own door."""
    views = {"PUT": _put, "DELETE": _delete}
    return views.get(request.method or "", _get)(request, path)


artifact.csrf_exempt = True  # type: ignore[attr-defined]  # the doors see to tokens


@door("GET", "HEAD", changes=False)
def _get(request: HttpRequest, caller: Caller, /, path: str) -> HttpResponseBase:
    owner, inner = owner_of(caller, path)
    return send_file(owner.take(inner))


@door("PUT")
def _put(request: HttpRequest, caller: Caller, /, path: str) -> HttpResponseBase:
    body = FileBody(request)
    with body.drained_when_refused():
        owner, inner = owner_of(caller, path)
        owner.ensure_may_add(inner)
        owner.add(_stored(body, inner))
    return JsonResponse({})


@door("DELETE")
def _delete(request: HttpRequest, caller: Caller, /, path: str) -> HttpResponseBase:
    owner, inner = owner_of(caller, path)
    owner.delete(inner)
    return JsonResponse({})


def _stored(body: FileBody, path: str) -> ArtifactFile:
    """Stream a body into the store, and see that it came whole."""
    blobs.require_room(claimed_room(body))
    watch = parts.limiting(blobs.local_folder())
    return ArtifactFile(
        path, blobs.store_stream(body, on_bytes=watch), media_type_of(path)
    )


def send_file(file: StoredFile) -> HttpResponseBase:
    response = send_blob(file.sha256, name=file.file_name, media_type=file.media_type)
    response["X-Content-Type-Options"] = "nosniff"
    return response
