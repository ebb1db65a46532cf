from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.experiments.models import Metric, Run
from apps.mlflow_api.caller import Caller, read_id
from apps.mlflow_api.door import endpoint
from apps.mlflow_api.errors import INVALID, MlflowError
from apps.mlflow_api.fields import INTEGER, NEEDED_TEXT, TEXT, TEXTS
from apps.mlflow_api.paging import read_token, size_of, write_token
from apps.mlflow_api.shapes import point_fields
from apps.mlflow_api.views_runs import RUN, run_of

Fields = dict[str, Any]

MOST_POINTS = 25_000
MOST_RUNS = 100
COLUMNS = ("key", "timestamp", "step", "value")


@endpoint(
    {**RUN, "metric_key": NEEDED_TEXT, "max_results": INTEGER, "page_token": TEXT},
    "GET",
    changes=False,
)
def get_history(caller: Caller, given: Fields) -> Fields:
    points = _points(run_of(caller, given), given["metric_key"])
    if token := given.get("page_token"):
        points = _after(points, read_token(token, [int, int, float]))
    asked = given.get("max_results")
    if asked is None:
        return {"metrics": [point_fields(*row) for row in points]}
    size = size_of(asked, MOST_POINTS, MOST_POINTS)
    rows = list(points[: size + 1])
    answer: Fields = {"metrics": [point_fields(*row) for row in rows[:size]]}
    if len(rows) > size:
        answer["next_page_token"] = write_token(list(rows[size - 1][1:]))
    return answer


@endpoint(
    {"run_id": TEXTS, "metric_key": TEXT, "max_results": INTEGER},
    "GET",
    changes=False,
)
def get_history_bulk(caller: Caller, given: Fields) -> Fields:
    size = size_of(given.get("max_results"), MOST_POINTS, MOST_POINTS)
    asked = given.get("run_id", [])
    if fault := _fault(asked, given.get("metric_key")):
        raise MlflowError(INVALID, f"GetMetricHistoryBulk request {fault}")
    wanted: list[UUID] = [pk for text in asked if (pk := read_id(text))]
    visible = Run.objects.visible_to(caller.user).filter(pk__in=wanted)
    found: list[Fields] = []
    for run in visible.order_by("pk"):
        points = _points(run, given["metric_key"])[: size - len(found)]
        found += [point_fields(*row) | {"run_id": run.pk.hex} for row in points]
    return {"metrics": found}


def _fault(runs: list[str], key: str | None) -> str:
    """Say what of a request for several runs cannot be answered."""
    if not runs:
        return "must specify at least one run_id."
    if len(runs) > MOST_RUNS:
        return f"cannot specify more than {MOST_RUNS} of run_id. Got {len(runs)}."
    return "" if key else "must specify a metric_key."


def _points(run: Run, key: str) -> QuerySet[Metric, Any]:
    points = run.metrics.filter(key=key).order_by("timestamp", "step", "value")
    return points.values_list(*COLUMNS)


def _after(points: QuerySet[Metric, Any], last: list[Any]) -> QuerySet[Metric, Any]:
    timestamp, step, value = last
    later = Q(step__gt=step) | Q(step=step, value__gt=value)
    return points.filter(timestamp__gte=timestamp).filter(
        Q(timestamp__gt=timestamp) | later
    )
