import mimetypes
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from apps.access.checks import ensure
from apps.core import blobs
from apps.core.http import send_blob
from apps.experiments import actions, parts, rules
from apps.experiments.actions import ArtifactFile
from apps.experiments.actions.artifacts import check_place
from apps.experiments.models import Artifact, Run
from apps.mlflow_api.bodies import FileBody, claimed_room
from apps.mlflow_api.caller import Caller
from apps.mlflow_api.door import door, endpoint
from apps.mlflow_api.errors import absent
from apps.mlflow_api.fields import NEEDED_TEXT, TEXT, read_fields
from apps.mlflow_api.paths import owner_of, safe_path
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
        "files": _files(run, folder, named_from_run=True),
    }


@door("GET", changes=False)
def get_artifact(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
    given = read_fields(request, {**RUN, "path": NEEDED_TEXT})
    return _send(run_of(caller, given), safe_path(given["path"]), caller)


@door("GET", changes=False)
def list_folder(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
    path = read_fields(request, PATH).get("path", "")
    run, folder = owner_of(caller, path)
    files = _files(run, folder, named_from_run=False)
    return JsonResponse({"files": files} if files else {})


def artifact(request: HttpRequest, path: str) -> HttpResponseBase:
    """Part reading from changing: each has its own door."""
    views = {"PUT": _put, "DELETE": _delete}
    return views.get(request.method or "", _get)(request, path)


artifact.csrf_exempt = True  # type: ignore[attr-defined]  # the doors see to tokens


@door("GET", "HEAD", changes=False)
def _get(request: HttpRequest, caller: Caller, /, path: str) -> HttpResponseBase:
    run, inner = owner_of(caller, path)
    return _send(run, inner, caller)


@door("PUT")
def _put(request: HttpRequest, caller: Caller, /, path: str) -> HttpResponseBase:
    body = FileBody(request)
    with body.drained_when_refused():
        run, inner = owner_of(caller, path)
        ensure(rules.can_log_artifact(caller.user, run))
        actions.log_artifact(run=run, file=_stored(run, body, inner), by=caller.user)
    return JsonResponse({})


@door("DELETE")
def _delete(request: HttpRequest, caller: Caller, /, path: str) -> HttpResponseBase:
    run, inner = owner_of(caller, path)
    found = _artifact(run, inner)
    actions.delete_artifact(artifact=found, by=caller.user)
    return JsonResponse({})


def _stored(run: Run, body: FileBody, path: str) -> ArtifactFile:
    """Stream a body into the store, and see that it came whole."""
    check_place(run, path)
    blobs.require_room(claimed_room(body))
    watch = parts.limiting(blobs.local_folder())
    return ArtifactFile(
        path, blobs.store_stream(body, on_bytes=watch), media_type(path)
    )


def media_type(path: str) -> str:
    """Guess what a file is by its name."""
    return mimetypes.guess_type(path)[0] or OTHER_MEDIA_TYPE


def _send(run: Run, path: str, caller: Caller) -> HttpResponseBase:
    found = actions.download_artifact(artifact=_artifact(run, path), by=caller.user)
    response = send_blob(
        found.sha256, name=found.file_name, media_type=found.media_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _artifact(run: Run, path: str) -> Artifact:
    found = run.artifacts.filter(path=path).first()
    if found is None:
        raise absent(f"No such artifact: '{path[:200]}'")
    return found


def _files(run: Run, folder: str, *, named_from_run: bool) -> list[Fields]:
    """List what lies directly in a folder, folders included, by name."""
    above = f"{folder}/" if folder else ""
    rows = run.artifacts.filter(path__startswith=above).order_by("path")
    found: dict[str, Fields] = {}
    for path, size in rows.values_list("path", "size_bytes"):
        name, slash, _ = path.removeprefix(above).partition("/")
        shown = above + name if named_from_run else name
        found[name] = {"path": shown, "is_dir": bool(slash)}
        if not slash:
            found[name]["file_size"] = size
    return list(found.values())
