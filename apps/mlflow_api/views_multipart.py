"""Large files of runs, sent in parts that come side by side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse

from apps.core.disk import require_room_in
from apps.core.ids import new_id
from apps.core.media_types import media_type_of
from apps.experiments import parts
from apps.experiments.actions import ArtifactFile
from apps.experiments.parts import MOST_PARTS, NoSuchUpload, Part, PartedFile
from apps.mlflow_api.bodies import FileBody, claimed_room
from apps.mlflow_api.caller import read_id
from apps.mlflow_api.door import door
from apps.mlflow_api.errors import INVALID, MlflowError
from apps.mlflow_api.fields import (
    INTEGER,
    NEEDED_INTEGER,
    NEEDED_TEXT,
    listed,
    read_fields,
)
from apps.mlflow_api.file_owners import FileOwner, owner_of

if TYPE_CHECKING:
    from apps.mlflow_api.caller import Caller

# The client gives the path on its own machine, of which only the name counts.
_SLASHES = re.compile(r"[/\\]")
PART = {"part_number": NEEDED_INTEGER, "etag": NEEDED_TEXT}


@door("POST")
def create_upload(
    request: HttpRequest, caller: Caller, /, folder: str
) -> HttpResponseBase:
    given = read_fields(request, {"path": NEEDED_TEXT, "num_parts": INTEGER})
    count = given.get("num_parts", 1)
    if not 1 <= count <= MOST_PARTS:
        raise MlflowError(
            INVALID,
            f"A file comes in 1 to {MOST_PARTS} parts, not {count}. Set "
            "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE to larger parts.",
        )
    place = _place(folder, given["path"])
    _owner_of(caller, place)
    file = PartedFile(new_id(), place, caller.user)
    file.begin()
    return _credentials(request, file, count)


@door("PUT")
def put_part(
    request: HttpRequest, caller: Caller, /, upload: UUID, number: int, path: str
) -> HttpResponseBase:
    body = FileBody(request)
    with body.drained_when_refused():
        if not 1 <= number <= MOST_PARTS:
            raise MlflowError(INVALID, f"A part is numbered 1 to {MOST_PARTS}.")
        _owner_of(caller, path)
        file = PartedFile(upload, path, caller.user)
        require_room_in(parts.folder(), claimed_room(body))
        part = file.keep(number, body)
    return HttpResponse(headers={"ETag": part.receipt})


@door("POST")
def complete_upload(
    request: HttpRequest, caller: Caller, /, folder: str
) -> HttpResponseBase:
    file, owner, path, given = _named(request, caller, folder)
    came = [Part(one["part_number"], one["etag"].strip('"')) for one in given["parts"]]
    blob = file.store(came)
    owner.add(ArtifactFile(path, blob, media_type_of(path)))
    return JsonResponse({})


@door("POST")
def abort_upload(
    request: HttpRequest, caller: Caller, /, folder: str
) -> HttpResponseBase:
    file, *_ = _named(request, caller, folder)
    file.give_up()
    return JsonResponse({})


def _named(
    request: HttpRequest, caller: Caller, folder: str
) -> tuple[PartedFile, FileOwner, str, dict[str, Any]]:
    shape = {"path": NEEDED_TEXT, "upload_id": NEEDED_TEXT, "parts": listed(PART)}
    given = {"parts": []} | read_fields(request, shape)
    pk = read_id(given["upload_id"])
    if pk is None:
        raise NoSuchUpload
    place = _place(folder, given["path"])
    owner, path = _owner_of(caller, place)
    return PartedFile(pk, place, caller.user), owner, path, given


def _place(folder: str, path: str) -> str:
    name = _SLASHES.split(path)[-1]
    if not name:
        raise MlflowError(INVALID, "Invalid path: it must end with the file's name.")
    return f"{folder.rstrip('/')}/{name}"


def _owner_of(caller: Caller, place: str) -> tuple[FileOwner, str]:
    owner, path = owner_of(caller, place)
    owner.ensure_may_add(path)
    return owner, path


def _credentials(
    request: HttpRequest, file: PartedFile, count: int
) -> HttpResponseBase:
    """Say where each part goes.

    The client sends parts without its token, and with the headers it is told here. So
    it is told its own token, and each part is let in as any other request of it is.
    """
    headers = {"Authorization": request.headers["Authorization"]}
    answer = JsonResponse(
        {
            "upload_id": file.pk.hex,
            "credentials": [
                {
                    "url": request.build_absolute_uri(
                        reverse("mlflow:put_part", args=[file.pk, number, file.place])
                    ),
                    "part_number": number,
                    "headers": headers,
                }
                for number in range(1, count + 1)
            ],
        }
    )
    answer["Cache-Control"] = "no-store"
    return answer
