from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from apps.mlflow_api.caller import Caller
from apps.mlflow_api.door import door, endpoint
from apps.mlflow_api.errors import INVALID, MlflowError, telling_taken
from apps.mlflow_api.fields import (
    INTEGER,
    NEEDED_TEXT,
    TEXT,
    TEXTS,
    listed,
    read_fields,
)
from apps.mlflow_api.governance import approval_of
from apps.mlflow_api.paging import size_of
from apps.mlflow_api.registry_names import (
    find_by_alias,
    find_model,
    find_version,
    models,
    place_of,
)
from apps.mlflow_api.shapes_registry import (
    model_fields,
    newest_of_stages,
    version_fields,
)
from apps.mlflow_api.views_experiments import PAIR, pairs
from apps.mlflow_api.views_versions import stage_in
from apps.registry import actions
from apps.registry.search.models import ModelSearch, search_models

Fields = dict[str, Any]

USUAL_MODELS, MOST_MODELS = 100, 1_000
NAME = {"name": NEEDED_TEXT}
ALIAS = {**NAME, "alias": NEEDED_TEXT}
PROMPT_TAG = "mlflow.prompt.is_prompt"


@endpoint({**NAME, "tags": listed(PAIR), "description": TEXT})
def create_model(caller: Caller, given: Fields) -> Fields:
    tags = pairs(given.get("tags", []))
    if tags.get(PROMPT_TAG) == "true":
        raise MlflowError(
            "ENDPOINT_NOT_FOUND",
            "The portal has no registry of prompts: this part of MLflow is not offered "
            "here.",
            404,
        )
    project, name = place_of(caller, given["name"])
    with telling_taken(f"Registered Model (name={name[:300]})"):
        model = actions.create_model(
            project=project,
            name=name,
            description=given.get("description", ""),
            tags=tags,
            by=caller.user,
        )
    return {"registered_model": model_fields(caller, [model])[0]}


@endpoint(NAME, "GET", changes=False)
def get_model(caller: Caller, given: Fields) -> Fields:
    model = find_model(caller, given["name"])
    return {"registered_model": model_fields(caller, [model])[0]}


@endpoint({**NAME, "new_name": NEEDED_TEXT})
def rename_model(caller: Caller, given: Fields) -> Fields:
    model = find_model(caller, given["name"])
    project, name = place_of(caller, given["new_name"])
    if project != model.project:
        raise MlflowError(
            INVALID,
            f"The model stays in its project {model.project.slug}; give a name of that "
            "project.",
        )
    with telling_taken(f"Registered Model (name={name[:300]})"):
        model = actions.rename_model(model=model, name=name, by=caller.user)
    return {"registered_model": model_fields(caller, [model])[0]}


@endpoint({**NAME, "description": TEXT}, "PATCH")
def update_model(caller: Caller, given: Fields) -> Fields:
    model = actions.describe_model(
        model=find_model(caller, given["name"]),
        description=given.get("description", ""),
        by=caller.user,
    )
    return {"registered_model": model_fields(caller, [model])[0]}


@endpoint(NAME, "DELETE")
def delete_model(caller: Caller, given: Fields) -> Fields:
    actions.delete_model(model=find_model(caller, given["name"]), by=caller.user)
    return {}


@endpoint(
    {"filter": TEXT, "max_results": INTEGER, "order_by": TEXTS, "page_token": TEXT},
    "GET",
    changes=False,
)
def search(caller: Caller, given: Fields) -> Fields:
    asked = ModelSearch(
        filter=given.get("filter", ""),
        order_by=given.get("order_by", []),
        project=caller.project,
    )
    found, token = search_models(
        user=caller.user,
        search=asked,
        token=given.get("page_token", ""),
        size=size_of(given.get("max_results"), USUAL_MODELS, MOST_MODELS),
    )
    by_id = models(caller).in_bulk(found)
    told = model_fields(caller, [by_id[pk] for pk in found if pk in by_id])
    return {"registered_models": told} | ({"next_page_token": token} if token else {})


@endpoint({**NAME, "stages": TEXTS}, "POST", "GET", changes=False)
def get_latest_versions(caller: Caller, given: Fields) -> Fields:
    stages = [stage_in(text) for text in given.get("stages", [])]
    model = find_model(caller, given["name"])
    found = newest_of_stages(caller, [model.pk], stages)
    return {"model_versions": [version_fields(caller, one) for one in found]}


@endpoint({**NAME, "key": NEEDED_TEXT, "value": TEXT})
def set_tag(caller: Caller, given: Fields) -> Fields:
    actions.set_model_tag(
        model=find_model(caller, given["name"]),
        key=given["key"],
        value=given.get("value", ""),
        by=caller.user,
    )
    return {}


@endpoint({**NAME, "key": NEEDED_TEXT}, "DELETE")
def delete_tag(caller: Caller, given: Fields) -> Fields:
    model = find_model(caller, given["name"])
    tag = model.tags.filter(key=given["key"]).first()
    if tag:
        actions.delete_model_tag(tag=tag, by=caller.user)
    return {}


def alias(request: HttpRequest) -> HttpResponseBase:
    """Part reading from changing: each has its own door."""
    views = {"POST": _set_alias, "DELETE": _delete_alias}
    return views.get(request.method or "", _get_alias)(request)


alias.csrf_exempt = True  # type: ignore[attr-defined]  # the doors see to tokens


@door("GET", changes=False)
def _get_alias(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
    given = read_fields(request, ALIAS)
    found = find_by_alias(caller, given["name"], given["alias"])
    return JsonResponse({"model_version": version_fields(caller, found)})


@door("POST")
def _set_alias(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
    given = read_fields(request, {**ALIAS, "version": NEEDED_TEXT})
    version = find_version(caller, given["name"], given["version"])
    actions.set_alias(
        version=version,
        name=given["alias"],
        approval=approval_of(caller, version, given["alias"]),
        by=caller.user,
    )
    return JsonResponse({})


@door("DELETE")
def _delete_alias(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
    given = read_fields(request, ALIAS)
    model = find_model(caller, given["name"])
    found = (
        model.aliases.filter(name=given["alias"])
        .select_related("version__model__project", "model__project")
        .first()
    )
    if found:
        approval = approval_of(caller, found.version, found.name)
        actions.delete_alias(alias=found, approval=approval, by=caller.user)
    return JsonResponse({})
