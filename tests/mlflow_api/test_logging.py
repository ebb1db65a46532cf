"""Many connections, one run: nothing is lost, doubled or locked; and what is told."""

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
import time_machine

from apps.audit.models import AuditEvent
from apps.experiments import actions, tasks
from apps.experiments.actions import (
    LogBatch,
    LoggedPoint,
    ParameterChanged,
    RunChange,
    RunStart,
    segments,
)
from apps.experiments.models import LatestMetric, LogSegment, Metric, Run, RunStatus
from apps.experiments.queries import segment_digest
from tests.counting import queries_of
from tests.factories import experiments as factory

CONNECTIONS = 10
BATCHES = 8


def started(world) -> Run:
    made = factory.experiment(world.project, world.data_scientist)
    return actions.start_run(experiment=made, start=RunStart(), by=world.data_scientist)


def logged(run, by, *points, **rest) -> Run:
    batch = LogBatch(metrics=[LoggedPoint(*one) for one in points], **rest)
    return actions.log_batch(run=run, batch=batch, by=by)


def events(run, kind: str):
    return AuditEvent.objects.filter(target_id=str(run.pk), type=kind)


def test_ten_connections_post_to_one_run_at_once(portal, world):
    run = started(world)
    headers = {
        "Authorization": f"Bearer {portal.token}",
        "Content-Type": "application/json",
    }

    def post(worker: int) -> set[int]:
        link = HTTPConnection("127.0.0.1", portal.port, timeout=60)
        seen = set()
        for number in range(BATCHES):
            names = [f"m{n}" for n in range(5)]
            step = worker * BATCHES + number
            points = [
                {"key": key, "value": step, "timestamp": step, "step": step}
                for key in (names if worker % 2 else names[::-1])
            ]
            tags = [{"key": "who", "value": str(worker)}]
            body = {"run_id": run.pk.hex, "metrics": points, "tags": tags}
            for _ in range(2):  # as a client that repeats what it sent
                link.request(
                    "POST", "/api/2.0/mlflow/runs/log-batch", json.dumps(body), headers
                )
                answer = link.getresponse()
                answer.read()
                seen.add(answer.status)
        link.close()
        return seen

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        statuses = set().union(*pool.map(post, range(CONNECTIONS)))

    total = CONNECTIONS * BATCHES
    assert statuses == {200}
    assert Metric.objects.filter(run=run).count() == 5 * total
    latest = LatestMetric.objects.filter(run=run).values_list("value", flat=True)
    assert set(latest) == {total - 1}
    assert LogSegment.objects.get(run=run).metrics == 5 * total


def test_a_batch_is_kept_whole_or_not_at_all(world):
    run = started(world)
    logged(run, world.data_scientist, parameters=[("depth", "4")])

    with pytest.raises(ParameterChanged):
        logged(
            run,
            world.data_scientist,
            ("auc", 1, 1, 0.5),
            parameters=[("new", "1"), ("depth", "5")],
            tags={"a": "b"},
        )

    assert not run.metrics.exists()
    assert list(run.parameters.values_list("key", "value")) == [("depth", "4")]
    assert not run.tags.filter(key="a").exists()


@pytest.mark.parametrize(
    ("points", "latest"),
    [
        ([("a", 1, 1, 0.1), ("a", 1, 2, 0.2)], 0.2),
        ([("a", 1, 2, 0.2), ("a", 9, 1, 0.1)], 0.2),
        ([("a", 1, 1, 0.2), ("a", 2, 1, 0.1)], 0.1),
        ([("a", 1, 1, 0.2), ("a", 1, 1, 0.1)], 0.2),
        ([("a", 1, -5, 0.2), ("a", 1, -6, 0.1)], 0.2),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_the_latest_value_has_the_greatest_step_then_time_then_value(
    world, points, latest, at_once
):
    run = started(world)

    for batch in [points] if at_once else [[one] for one in points]:
        logged(run, world.data_scientist, *batch)

    assert LatestMetric.objects.get(run=run).value == latest


def test_a_segment_is_told_once_when_the_run_ends(world):
    run = started(world)
    for step in range(3):
        logged(run, world.data_scientist, ("a", step, step, float("nan")))
    assert not events(run, "run.logged").exists()

    actions.update_run(
        run=run, change=RunChange(status=RunStatus.FINISHED), by=world.data_scientist
    )

    segment = LogSegment.objects.get(run=run)
    told = events(run, "run.logged").get().changes
    assert (told["metrics"], told["parameters"]) == (3, 0)
    assert told["digest"] == segment.digest == segment_digest(segment)


def test_a_changed_row_does_not_fit_the_digest(world):
    run = started(world)
    logged(run, world.data_scientist, ("a", 1, 1, 0.5), parameters=[("b", "c")])
    actions.delete_run(run=run, by=world.data_scientist)

    Metric.objects.filter(run=run).update(value=0.6)

    segment = LogSegment.objects.get(run=run)
    assert segment.digest != segment_digest(segment)


def test_a_full_segment_ends(world, monkeypatch):
    monkeypatch.setattr(segments, "MOST_ROWS", 2)
    run = started(world)

    for step in range(5):
        logged(run, world.data_scientist, ("a", 1, step, 0.5))

    found = LogSegment.objects.filter(run=run).order_by("number")
    assert [(one.number, one.metrics) for one in found] == [(1, 2), (2, 2), (3, 1)]
    assert events(run, "run.logged").count() == 2


def test_the_clock_ends_what_a_killed_script_left_open(world):
    run = started(world)
    logged(run, world.data_scientist, ("a", 1, 1, 0.5))
    tasks.close_old_segments()
    assert not events(run, "run.logged").exists()

    with time_machine.travel("2100-01-01T00:00:00Z"):
        tasks.close_old_segments()
        tasks.close_old_segments()

    assert events(run, "run.logged").get().actor_id == world.worker.pk


def test_recorded_runs_are_protected(world, mlflow):
    made = factory.experiment(world.project, world.data_scientist)
    run = factory.trained_run(made, world.data_scientist)
    given = {"run_id": run.pk.hex, "key": "a", "value": "1"}

    refused = mlflow("runs/log-parameter", given, status=403)

    assert refused["error_code"] == "PERMISSION_DENIED"
    assert "protected" in refused["message"]
    for path in ("delete", "set-tag", "update"):
        mlflow(f"runs/{path}", given, status=403)


def test_deleted_runs_take_nothing(world, mlflow):
    run = started(world)
    mlflow("runs/delete", {"run_id": run.pk.hex})

    given = {"run_id": run.pk.hex, "key": "a", "value": "1"}
    refused = mlflow("runs/set-tag", given, status=400)

    assert refused["error_code"] == "INVALID_PARAMETER_VALUE"


def test_runs_go_and_come_with_their_experiment(world, mlflow):
    run = started(world)
    aside = actions.delete_run(
        run=actions.start_run(
            experiment=run.experiment, start=RunStart(), by=world.data_scientist
        ),
        by=world.data_scientist,
    )

    asked = {"experiment_id": run.experiment_id.hex}
    mlflow("experiments/delete", asked)
    mlflow("runs/create", asked, status=400)
    mlflow("experiments/restore", asked)

    run.refresh_from_db()
    aside.refresh_from_db()
    assert run.deleted_at is None
    assert aside.deleted_at is not None


def test_history_comes_in_pages_of_points(world, mlflow):
    run = started(world)
    odd = [("a", 1, 1, float("inf")), ("a", 1, 1, float("nan")), ("a", 1, 1, 0.5)]
    logged(run, world.data_scientist, *odd, ("a", 2, 0, 0.1))
    asked = {"run_id": run.pk.hex, "metric_key": "a", "max_results": 1}
    found, token = [], ""
    while token is not None:
        page = mlflow(
            "metrics/get-history", asked | {"page_token": token}, method="get"
        )
        found += [one["value"] for one in page["metrics"]]
        token = page.get("next_page_token")

    bulk = {"run_id": [run.pk.hex], "metric_key": "a"}
    several = mlflow("metrics/get-history-bulk", bulk, method="get")["metrics"]
    assert found == [0.5, "Infinity", "NaN", 0.1]
    assert [one["value"] for one in several] == found
    assert {one["run_id"] for one in several} == {run.pk.hex}
    mlflow("metrics/get-history", asked | {"page_token": "x"}, method="get", status=400)


def test_searching_and_logging_cost_the_same_for_few_and_many(world, mlflow):
    first = started(world)
    asked = {"experiment_ids": [first.experiment_id.hex]}
    few = queries_of(lambda: mlflow("runs/search", asked))
    for number in range(12):
        run = actions.start_run(
            experiment=first.experiment, start=RunStart(), by=world.data_scientist
        )
        logged(
            run, world.data_scientist, ("a", number, 1, 0.5), parameters=[("b", "c")]
        )

    assert queries_of(lambda: mlflow("runs/search", asked)) == few

    def log(count: int) -> int:
        points = [
            {"key": f"m{n}", "value": n, "timestamp": n, "step": n}
            for n in range(count)
        ]
        batch = {"run_id": first.pk.hex, "metrics": points}
        return queries_of(lambda: mlflow("runs/log-batch", batch))

    assert log(2) == log(900)
