from typing import Any

from apps.experiments.models import Experiment
from apps.experiments.search import experiments, runs
from apps.experiments.search.conditions import DEFAULT_ID
from apps.experiments.search.loading import load_runs
from apps.experiments.search.view import View
from apps.mlflow_api.caller import Caller, read_id
from apps.mlflow_api.door import endpoint
from apps.mlflow_api.errors import INVALID, MlflowError
from apps.mlflow_api.fields import INTEGER, TEXT, TEXTS
from apps.mlflow_api.paging import size_of
from apps.mlflow_api.shapes import experiment_fields, run_fields

Fields = dict[str, Any]

MOST_ROWS = 50_000
USUAL_ROWS = 1_000
PAGE = {
    "filter": TEXT,
    "order_by": TEXTS,
    "max_results": INTEGER,
    "page_token": TEXT,
}


@endpoint({**PAGE, "view_type": TEXT}, "POST", "GET", changes=False)
def search_experiments(caller: Caller, given: Fields) -> Fields:
    default = caller.make_default()
    search = experiments.ExperimentSearch(
        filter=given.get("filter", ""),
        order_by=given.get("order_by", []),
        view=_view(given, "view_type"),
        project=caller.project.pk if caller.project else None,
        default=default.pk if default else None,
    )
    found, token = experiments.search_experiments(
        user=caller.user,
        search=search,
        token=given.get("page_token", ""),
        size=size_of(given.get("max_results"), USUAL_ROWS, MOST_ROWS),
    )
    rows = Experiment.objects.visible_to(caller.user).select_related("project")
    by_id = rows.in_bulk(found)
    told = experiment_fields(caller, [by_id[pk] for pk in found if pk in by_id])
    return {"experiments": told} | _next(token)


@endpoint({**PAGE, "experiment_ids": TEXTS, "run_view_type": TEXT}, changes=False)
def search_runs(caller: Caller, given: Fields) -> Fields:
    search = runs.RunSearch(
        experiments=experiment_ids(caller, given.get("experiment_ids", [])),
        filter=given.get("filter", ""),
        order_by=given.get("order_by", []),
        view=_view(given, "run_view_type"),
    )
    found, token = runs.search_runs(
        user=caller.user,
        search=search,
        token=given.get("page_token", ""),
        size=size_of(given.get("max_results"), USUAL_ROWS, MOST_ROWS),
    )
    return {"runs": run_fields(caller, load_runs(found))} | _next(token)


def experiment_ids(caller: Caller, asked: list[str]) -> list[Any]:
    """Read ids; those of experiments that are not there find nothing, as in MLflow."""
    ids = [read_id(text) for text in asked if text != DEFAULT_ID]
    found = [pk for pk in ids if pk]
    if DEFAULT_ID in asked:
        found.append(caller.default_experiment().pk)
    return found


def _view(given: Fields, name: str) -> View:
    text = given.get(name) or View.ACTIVE
    if text not in list(View):
        raise MlflowError(
            INVALID,
            f"Invalid value \"{text[:40]}\" for parameter '{name}' supplied: there are "
            f"{', '.join(View)}.",
        )
    return View(text)


def _next(token: str) -> Fields:
    return {"next_page_token": token} if token else {}
