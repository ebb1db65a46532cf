from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from apps.experiments import actions
from apps.experiments.actions import LoggedModelStart
from apps.experiments.models import LoggedModelStatus
from apps.experiments.search import logged_models as search
from apps.experiments.search.logged_models import MeasuredOn, ModelOrder
from apps.mlflow_api.caller import Caller
from apps.mlflow_api.door import door, endpoint
from apps.mlflow_api.errors import INVALID, MlflowError, absent
from apps.mlflow_api.fields import (
    BOOLEAN,
    INTEGER,
    NEEDED_TEXT,
    TEXT,
    TEXTS,
    listed,
    read_fields,
)
from apps.mlflow_api.file_owners import listing
from apps.mlflow_api.paging import size_of
from apps.mlflow_api.paths import safe_path
from apps.mlflow_api.shapes import SCHEME, logged_model_fields, model_folder
from apps.mlflow_api.views_experiments import PAIR, pairs
from apps.mlflow_api.views_search import experiment_ids

Fields = dict[str, Any]

MOST_PARAMS = 100
MOST_FOUND = 50_000
_STATUS = "LOGGED_MODEL_"


@endpoint(
    {
        "experiment_id": NEEDED_TEXT,
        "name": TEXT,
        "model_type": TEXT,
        "source_run_id": TEXT,
        "params": listed(PAIR),
        "tags": listed(PAIR),
    }
)
def create(caller: Caller, given: Fields) -> Fields:
    run = given.get("source_run_id")
    start = LoggedModelStart(
        name=given.get("name", ""),
        model_type=given.get("model_type", ""),
        source_run=caller.run(run) if run else None,
        parameters=pairs(given.get("params", [])),
        tags=pairs(given.get("tags", [])),
    )
    model = actions.create_logged_model(
        experiment=caller.experiment(given["experiment_id"]),
        start=start,
        by=caller.user,
    )
    return {"model": logged_model_fields(caller, [model])[0]}


def model(request: HttpRequest, model_id: str) -> HttpResponseBase:
    """Part reading from changing: each has its own door."""
    views = {"PATCH": _finish, "DELETE": _delete}
    return views.get(request.method or "", _get)(request, model_id)


model.csrf_exempt = True  # type: ignore[attr-defined]  # the doors see to tokens


@door("GET", changes=False)
def _get(request: HttpRequest, caller: Caller, /, model_id: str) -> HttpResponseBase:
    deleted_too = read_fields(request, {"allow_deleted": TEXT}).get("allow_deleted", "")
    found = caller.logged_model(model_id, deleted_too=deleted_too.lower() == "true")
    return JsonResponse({"model": logged_model_fields(caller, [found])[0]})


@door("PATCH")
def _finish(request: HttpRequest, caller: Caller, /, model_id: str) -> HttpResponseBase:
    given = read_fields(request, {"status": NEEDED_TEXT})
    finished = actions.finish_logged_model(
        model=caller.logged_model(model_id),
        status=_status(given["status"]),
        by=caller.user,
    )
    return JsonResponse({"model": logged_model_fields(caller, [finished])[0]})


@door("DELETE")
def _delete(request: HttpRequest, caller: Caller, /, model_id: str) -> HttpResponseBase:
    actions.delete_logged_model(model=caller.logged_model(model_id), by=caller.user)
    return JsonResponse({})


@door("POST")
def add_params(
    request: HttpRequest, caller: Caller, /, model_id: str
) -> HttpResponseBase:
    params = read_fields(request, {"params": listed(PAIR)}).get("params", [])
    if len(params) > MOST_PARAMS:
        raise MlflowError(
            INVALID, f"A call takes up to {MOST_PARAMS} params. Got {len(params)}."
        )
    actions.add_logged_model_parameters(
        model=caller.logged_model(model_id), parameters=pairs(params), by=caller.user
    )
    return JsonResponse({})


@door("PATCH")
def set_tags(
    request: HttpRequest, caller: Caller, /, model_id: str
) -> HttpResponseBase:
    tags = read_fields(request, {"tags": listed(PAIR)}).get("tags", [])
    tagged = actions.set_logged_model_tags(
        model=caller.logged_model(model_id), tags=pairs(tags), by=caller.user
    )
    return JsonResponse({"model": logged_model_fields(caller, [tagged])[0]})


@door("DELETE")
def delete_tag(
    request: HttpRequest, caller: Caller, /, model_id: str, key: str
) -> HttpResponseBase:
    tag = caller.logged_model(model_id).tags.filter(key=key).first()
    if tag is None:
        raise absent(f"No tag with key {key[:80]!r} on model {model_id[:40]}.")
    actions.delete_logged_model_tag(tag=tag, by=caller.user)
    return JsonResponse({})


@door("GET", changes=False)
def list_files(
    request: HttpRequest, caller: Caller, /, model_id: str
) -> HttpResponseBase:
    path = read_fields(request, {"artifact_directory_path": TEXT})
    folder = safe_path(path.get("artifact_directory_path", "")).rstrip("/")
    found = caller.logged_model(model_id)
    return JsonResponse(
        {
            "root_uri": f"{SCHEME}{model_folder(found)}",
            "files": listing(found.files.all(), folder, whole_paths=True),
        }
    )


@endpoint(
    {
        "experiment_ids": TEXTS,
        "filter": TEXT,
        "datasets": listed({"dataset_name": NEEDED_TEXT, "dataset_digest": TEXT}),
        "max_results": INTEGER,
        "order_by": listed(
            {
                "field_name": NEEDED_TEXT,
                "ascending": BOOLEAN,
                "dataset_name": TEXT,
                "dataset_digest": TEXT,
            }
        ),
        "page_token": TEXT,
    },
    changes=False,
)
def search_models(caller: Caller, given: Fields) -> Fields:
    asked = search.LoggedModelSearch(
        experiments=experiment_ids(caller, given.get("experiment_ids", [])),
        filter=given.get("filter", ""),
        datasets=[_measured_on(each) for each in given.get("datasets", [])],
        order_by=[_order(each) for each in given.get("order_by", [])],
        default=_default(caller, given),
    )
    found, token = search.search_logged_models(
        user=caller.user,
        search=asked,
        token=given.get("page_token", ""),
        size=size_of(given.get("max_results"), search.PAGE, MOST_FOUND),
    )
    models = search.load_logged_models(found)
    answer: Fields = {"models": logged_model_fields(caller, models)}
    return answer | ({"next_page_token": token} if token else {})


def _status(text: str) -> LoggedModelStatus:
    found = text.removeprefix(_STATUS)
    if found not in LoggedModelStatus.values:
        raise MlflowError(
            INVALID,
            f"Invalid value \"{text[:40]}\" for parameter 'status' supplied: there are "
            f"{', '.join(_STATUS + one for one in LoggedModelStatus.values)}.",
        )
    return LoggedModelStatus(found)


def _default(caller: Caller, given: Fields) -> UUID | None:
    """Find the experiment with the id 0 when a filter speaks of experiments."""
    asked = "experiment_id" in given.get("filter", "")
    default = caller.make_default() if asked else None
    return default.pk if default else None


def _measured_on(given: Fields) -> MeasuredOn:
    return MeasuredOn(given["dataset_name"], given.get("dataset_digest", ""))


def _order(given: Fields) -> ModelOrder:
    name, digest = given.get("dataset_name", ""), given.get("dataset_digest", "")
    dataset = MeasuredOn(name, digest) if name or digest else None
    return ModelOrder(given["field_name"], not given.get("ascending", True), dataset)
