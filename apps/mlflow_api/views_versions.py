from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from apps.mlflow_api.caller import Caller
from apps.mlflow_api.door import door, endpoint
from apps.mlflow_api.errors import INVALID, MlflowError
from apps.mlflow_api.fields import (
    BOOLEAN,
    INTEGER,
    NEEDED_TEXT,
    TEXT,
    TEXTS,
    listed,
    read_fields,
)
from apps.mlflow_api.file_owners import VersionFiles
from apps.mlflow_api.governance import approval_of
from apps.mlflow_api.paging import size_of
from apps.mlflow_api.paths import safe_path
from apps.mlflow_api.registry_names import find_model, find_version, versions
from apps.mlflow_api.shapes_registry import download_uri, version_fields
from apps.mlflow_api.sources import origin_of
from apps.mlflow_api.views_artifacts import send_file
from apps.mlflow_api.views_experiments import PAIR, pairs
from apps.registry import actions
from apps.registry.actions import VersionWords
from apps.registry.actions.versions import locked_version
from apps.registry.models import Stage
from apps.registry.search.versions import VersionSearch, search_versions

Fields = dict[str, Any]

USUAL_VERSIONS, MOST_VERSIONS, PAGE = 10_000, 200_000, 10_000
VERSION = {"name": NEEDED_TEXT, "version": NEEDED_TEXT}
ARCHIVING = (Stage.STAGING, Stage.PRODUCTION)
NEWEST_FIRST = ("last_updated_timestamp DESC",)


@endpoint(
    {
        "name": NEEDED_TEXT,
        "source": NEEDED_TEXT,
        "run_id": TEXT,
        "model_id": TEXT,
        "tags": listed(PAIR),
        "run_link": TEXT,
        "description": TEXT,
    }
)
def create_version(caller: Caller, given: Fields) -> Fields:
    model = find_model(caller, given["name"])
    origin = origin_of(
        caller, given["source"], given.get("run_id", ""), given.get("model_id", "")
    )
    words = VersionWords(
        description=given.get("description", ""),
        run_link=given.get("run_link", ""),
        tags=pairs(given.get("tags", [])),
    )
    version = actions.create_version(
        model=model, origin=origin, words=words, by=caller.user
    )
    return _told(caller, given | {"version": str(version.number)})


@endpoint(VERSION, "GET", changes=False)
def get_version(caller: Caller, given: Fields) -> Fields:
    return _told(caller, given)


@endpoint({**VERSION, "description": TEXT}, "PATCH")
def update_version(caller: Caller, given: Fields) -> Fields:
    actions.describe_version(
        version=find_version(caller, given["name"], given["version"]),
        description=given.get("description", ""),
        by=caller.user,
    )
    return _told(caller, given)


@endpoint(VERSION, "DELETE")
def delete_version(caller: Caller, given: Fields) -> Fields:
    version = find_version(caller, given["name"], given["version"])
    actions.delete_version(version=version, by=caller.user)
    return {}


@endpoint({**VERSION, "stage": NEEDED_TEXT, "archive_existing_versions": BOOLEAN})
def transition_stage(caller: Caller, given: Fields) -> Fields:
    stage = stage_in(given["stage"])
    archive = given.get("archive_existing_versions", False)
    if archive and stage not in ARCHIVING:
        raise MlflowError(
            INVALID,
            "Model version transition cannot archive existing model versions because "
            f"'{stage}' is not an Active stage: {' and '.join(ARCHIVING)} are.",
        )
    with transaction.atomic():
        # No approval may end between the question for it and the move.
        version = locked_version(find_version(caller, given["name"], given["version"]))
        actions.move_stage(
            version=version,
            stage=stage,
            archive_others=archive,
            approval=approval_of(caller, version, stage),
            by=caller.user,
        )
    return _told(caller, given)


@endpoint(VERSION, "GET", changes=False)
def get_download_uri(caller: Caller, given: Fields) -> Fields:
    version = find_version(caller, given["name"], given["version"])
    return {"artifact_uri": download_uri(version)}


@door("GET", changes=False)
def get_artifact(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
    given = read_fields(request, {**VERSION, "path": NEEDED_TEXT})
    path = safe_path(given["path"])
    version = find_version(caller, given["name"], given["version"])
    return send_file(VersionFiles(version, caller.user).take(path))


@endpoint(
    {"filter": TEXT, "max_results": INTEGER, "order_by": TEXTS, "page_token": TEXT},
    "GET",
    changes=False,
)
def search(caller: Caller, given: Fields) -> Fields:
    asked = VersionSearch(
        filter=given.get("filter", ""),
        order_by=given.get("order_by") or NEWEST_FIRST,
        project=caller.project,
    )
    size = size_of(given.get("max_results"), USUAL_VERSIONS, MOST_VERSIONS)
    found, token = search_versions(
        user=caller.user,
        search=asked,
        token=given.get("page_token", ""),
        size=min(size, PAGE),
    )
    by_id = versions(caller).in_bulk(found)
    told = [version_fields(caller, by_id[pk]) for pk in found if pk in by_id]
    return {"model_versions": told} | ({"next_page_token": token} if token else {})


@endpoint({**VERSION, "key": NEEDED_TEXT, "value": TEXT})
def set_tag(caller: Caller, given: Fields) -> Fields:
    actions.set_version_tag(
        version=find_version(caller, given["name"], given["version"]),
        key=given["key"],
        value=given.get("value", ""),
        by=caller.user,
    )
    return {}


@endpoint({**VERSION, "key": NEEDED_TEXT}, "DELETE")
def delete_tag(caller: Caller, given: Fields) -> Fields:
    version = find_version(caller, given["name"], given["version"])
    tag = version.tags.filter(key=given["key"]).first()
    if tag:
        actions.delete_version_tag(tag=tag, by=caller.user)
    return {}


def _told(caller: Caller, given: Fields) -> Fields:
    version = find_version(caller, given["name"], given["version"])
    return {"model_version": version_fields(caller, version)}


def stage_in(text: str) -> Stage:
    found = next((stage for stage in Stage if stage.lower() == text.lower()), None)
    if found is None:
        raise MlflowError(
            INVALID,
            f"Invalid Model Version stage: {text[:40]}. Value must be one of "
            f"{', '.join(Stage)}.",
        )
    return found
