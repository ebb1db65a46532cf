"""What MLflow's own tests ask of a server, and of runs that became models."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audit.models import AuditEvent
from apps.experiments import actions
from apps.experiments.actions import LogBatch, RunChange, RunStart
from apps.experiments.models import Metric, Parameter, Run, RunStatus
from apps.mlflow_api.urls import _BEGINNINGS, _offered
from tests.factories import experiments as factory
from tests.factories import registry

API = "/api/2.0/mlflow/"


@pytest.fixture
def run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return actions.start_run(experiment=made, start=RunStart(), by=world.data_scientist)


@pytest.fixture
def registered(world) -> Run:
    """A run of a script whose model was registered, and that has ended."""
    version = registry.model_version(world.project, world.data_scientist)
    Run.objects.filter(pk=version.run_id).update(source="mlflow", status="FINISHED")
    return Run.objects.get(pk=version.run_id)


def test_the_id_0_means_the_default_experiment_in_filters(mlflow):
    mlflow("experiments/create", {"name": "other"})

    def names(text: str) -> list[str]:
        found = mlflow("experiments/search", {"filter": text})["experiments"]
        return [one["name"] for one in found]

    assert names("experiment_id = '0'") == ["Default"]
    assert names("experiment_id != '0'") == ["other"]
    assert names("experiment_id IN ('0', '1')") == ["Default"]


def test_the_id_0_means_the_default_experiment_for_models_too(mlflow):
    made = mlflow("logged-models", {"experiment_id": "0", "name": "m"})["model"]
    asked = {"experiment_ids": ["0"], "filter": "experiment_id = '0'"}

    found = mlflow("logged-models/search", asked)["models"]

    assert [one["info"]["model_id"] for one in found] == [made["info"]["model_id"]]


def test_pages_of_mlflow_find_the_same_under_their_addresses(mlflow, run):
    asked = {"experiment_ids": [run.experiment_id.hex]}
    path = "/ajax-api/2.0/mlflow/runs/search"

    answer = mlflow.client.post(path, asked, content_type="application/json")

    assert answer.json() == mlflow("runs/search", asked)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"metric_key": "a"}, "must specify at least one run_id"),
        ({"run_id": ["x"] * 101, "metric_key": "a"}, "cannot specify more than"),
        ({"run_id": ["x"]}, "must specify a metric_key"),
    ],
)
def test_histories_of_several_runs_need_runs_and_a_key(mlflow, asked, sentence):
    refused = mlflow("metrics/get-history-bulk", asked, method="get", status=400)

    assert sentence in refused["message"]


def test_a_deleted_run_is_told_before_a_missing_tag(mlflow, run):
    mlflow("runs/delete", {"run_id": run.pk.hex})
    given = {"run_id": run.pk.hex, "key": "none"}

    refused = mlflow("runs/delete-tag", given, status=400)

    assert refused["message"].startswith(f"The run {run.pk.hex} must be in")


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("log-metric", {"key": "late", "value": 1, "timestamp": 1}),
        ("log-parameter", {"key": "late", "value": "1"}),
        ("set-tag", {"key": "late", "value": "1"}),
        ("log-batch", {"tags": [{"key": "late", "value": "1"}]}),
        ("log-inputs", {"datasets": []}),
        ("update", {"status": "RUNNING"}),
        ("update", {"run_name": "Other"}),
    ],
)
def test_a_registered_run_that_ended_takes_nothing(mlflow, registered, path, data):
    before = AuditEvent.objects.count()
    given = {"run_id": registered.pk.hex, **data}

    refused = mlflow(f"runs/{path}", given, status=403)

    assert refused["error_code"] == "PERMISSION_DENIED"
    assert "was registered as a model" in refused["message"]
    assert not Metric.objects.filter(run=registered, key="late").exists()
    assert not Parameter.objects.filter(run=registered, key="late").exists()
    assert AuditEvent.objects.filter(target_id=str(registered.pk)).count() <= before


def test_a_registered_run_takes_more_until_it_ends(world, mlflow, registered):
    """As autologging does: it registers, then logs on, then ends the run."""
    Run.objects.filter(pk=registered.pk).update(status="RUNNING", ended_at=None)
    mine = {"run_id": registered.pk.hex}

    mlflow("runs/log-metric", mine | {"key": "score", "value": 1, "timestamp": 1})
    mlflow("runs/update", mine | {"status": "FINISHED", "end_time": 5})
    mlflow("runs/update", mine | {"status": "FINISHED", "end_time": 5})  # once more

    late = mine | {"key": "score", "value": 2, "timestamp": 2}
    mlflow("runs/log-metric", late, status=403)
    assert Metric.objects.get(run=registered, key="score").value == 1


def test_a_repeated_end_of_a_run_is_told_once(world, run):
    change = RunChange(status=RunStatus.FINISHED)
    ended = actions.update_run(run=run, change=change, by=world.data_scientist)
    told = AuditEvent.objects.count()

    again = actions.update_run(run=ended, change=change, by=world.data_scientist)

    assert again.ended_at == ended.ended_at
    assert AuditEvent.objects.count() == told
    batch = LogBatch(parameters=[("late", "1")])
    actions.log_batch(run=ended, batch=batch, by=world.data_scientist)


ADDRESSES = [str(one.pattern) for one in _offered if "/" in str(one.pattern)]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]
BODIES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"run_id": "\xff"}', b"NaN",
            b"[" * 20_000, b'{"tags": ' + b'[{"a":' * 5_000, b'{"run_id": 1e999}',
            b'{"max_results": ' + b"9" * 5_000 + b"}", b'{"step": 1e400}',
            b'{"timestamp": -170141183460469231731687303715884105728}',
        ]
    ),
    st.dictionaries(
        st.sampled_from(["run_id", "metrics", "max_results", "filter", "value"]),
        st.sampled_from([10**30, "NaN", None, [], {}, "\ud800", True, "a' OR '1"]),
    ).map(lambda given: json.dumps(given).encode()),
)  # fmt: skip
QUERIES = st.sampled_from(
    ["", "?run_id=%ff%fe", "?max_results=" + "9" * 400, "?max_results=x",
     "?page_token=é", "?run_id=%00",
     "?path=..%2f..", "?filter=%27&order_by=%00", "?experiment_id=0"]
)  # fmt: skip


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    address=st.sampled_from([*ADDRESSES, *(f"{one}/<str:x>" for one in _BEGINNINGS)]),
    value=st.sampled_from(["x", "m-" + "a" * 32, "..", "%00", "a/b", "é", "0" * 300]),
    method=st.sampled_from(METHODS),
    body=BODIES,
    query=QUERIES,
    kind=st.sampled_from(["application/json", "text/plain", "multipart/form-data", ""]),
)
def test_nothing_that_can_be_sent_brings_a_server_error(
    mlflow, address, value, method, body, query, kind
):
    path = "/".join(value if "<" in part else part for part in address.split("/"))

    answer = mlflow.client.generic(method, f"/{path}{query}", body, content_type=kind)

    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400 and method != "HEAD":
        assert answer["Content-Type"] == "application/json", (path, answer.content)
        assert set(answer.json()) == {"error_code", "message"}


def test_a_run_has_one_name(mlflow):
    def start(name: str) -> dict:
        tags = [{"key": "mlflow.runName", "value": "first"}]
        asked = {"experiment_id": "0", "run_name": name, "tags": tags}
        return mlflow("runs/create", asked, status=400 if name == "other" else 200)

    refused = start("other")

    assert refused["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "Give one of them" in refused["message"]
    assert not Run.objects.exists()
    assert start("first")["run"]["info"]["run_name"] == "first"
    assert start("")["run"]["info"]["run_name"] == "first"
