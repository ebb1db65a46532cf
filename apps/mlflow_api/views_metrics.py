from typing import Any

from apps.experiments.models import Metric, Run
from apps.mlflow_api.caller import Caller
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
    run, key = run_of(caller, given), given["metric_key"]
    token, asked = given.get("page_token"), given.get("max_results")
    after = read_token(token, [int, int]) if token else None
    if asked is None:
        return {"metrics": [point_fields(*row) for row in _points(run, key, after)]}
    size = size_of(asked, MOST_POINTS, MOST_POINTS)
    rows = list(_points(run, key, after)[: size + 1])
    answer: Fields = {"metrics": [point_fields(*row) for row in rows[:size]]}
    if len(rows) > size:
        answer["next_page_token"] = write_token(list(rows[size][1:3]))
    return answer
