"""Refusals in MLflow's form: 4xx with a code and a sentence, never HTML, never 5xx."""

import base64

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.experiments import actions
from apps.experiments.actions import RunStart
from apps.mlflow_api.urls import _ENDPOINTS
from tests.factories import experiments as factory
from tests.mlflow_api.conftest import asker

API = "/api/2.0/mlflow/"
NOT_RETRIED = {200, 400, 401, 403, 404, 409}


@pytest.fixture
def run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return actions.start_run(experiment=made, start=RunStart(), by=world.data_scientist)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer nothing", 401),
        ("Bearer", 401),
        ("Basic !!", 401),
        ("Token x", 401),
    ],
)
def test_without_a_token_there_is_401_in_json(db, authorization, status):
    headers = {"Authorization": authorization} if authorization else {}

    answer = Client(headers=headers).get(f"{API}experiments/get?experiment_id=0")

    assert answer.status_code == status
    assert answer.json()["error_code"] == "UNAUTHENTICATED"


def test_basic_takes_the_token_as_password(mlflow):
    secret = mlflow.client.defaults["HTTP_AUTHORIZATION"].partition(" ")[2]
    pair = base64.b64encode(f"dana:{secret}".encode()).decode()
    client = Client(headers={"Authorization": f"Basic {pair}"})

    assert client.get(f"{API}experiments/get?experiment_id=0").status_code == 200


def test_a_session_opens_nothing(world, client_of):
    answer = client_of(world.data_scientist).get(f"{API}experiments/search")

    assert answer.status_code == 401


def test_a_token_that_reads_changes_nothing(world, run):
    ask = asker(world.data_scientist, world.project.slug, scope="read")

    refused = ask("experiments/create", {"name": "x"}, status=403)

    assert refused["error_code"] == "PERMISSION_DENIED"
    assert ask("runs/search", {"experiment_ids": [run.experiment_id.hex]})["runs"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/mlflow/traces/search",
        "/api/3.0/mlflow/traces",
        "/api/2.0/mlflow-artifacts/presigned/x",
        "/ajax-api/2.0/mlflow/runs/create-promptlab-run",
        "/ajax-api/3.0/mlflow/traces/search",
        "/v1/traces",
        "/graphql",
        "/api/3.0/mlflow/",
        "/api/2.0/mlflow/gateway-proxy",
    ],
)
def test_what_is_left_out_says_so(db, path):
    answer = Client(enforce_csrf_checks=True).post(path)

    assert answer.status_code == 404
    assert answer.json()["error_code"] == "ENDPOINT_NOT_FOUND"


@pytest.mark.parametrize(
    ("data", "opening"),
    [
        ({"metrics": "foo"}, "Invalid value \"foo\" for parameter 'metrics' supplied"),
        (
            {"metrics": [{"key": "a", "value": 1}]},
            "Missing value for required parameter 'metrics[0].timestamp'",
        ),
        (
            {"tags": [{"key": "a"}, {"value": "1"}]},
            "Missing value for required parameter 'tags[1].key'",
        ),
        ({"params": [{"key": 31, "value": "1"}]}, "Invalid value [{"),
        ({"run_id": ""}, "Missing value for required parameter 'run_id'"),
        ({"run_id": 5}, "Invalid value 5 for parameter 'run_id' supplied"),
    ],
)
def test_fields_are_told_in_the_words_of_the_client(mlflow, run, data, opening):
    answer = mlflow("runs/log-batch", {"run_id": run.pk.hex, **data}, status=400)

    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert answer["message"].startswith(opening)


def test_numbers_may_be_texts_and_unknown_fields_are_ignored(mlflow, run):
    point = {"key": "auc", "value": "NaN", "timestamp": "12", "step": "-3"}

    mlflow("runs/log-metric", {"run_id": run.pk.hex, **point, "new": {"a": [1]}})

    asked = {"run_id": run.pk.hex, "metric_key": "auc"}
    found = mlflow("metrics/get-history", asked, method="get")["metrics"]
    assert found == [{"key": "auc", "value": "NaN", "timestamp": 12, "step": -3}]


def test_whatever_was_logged_is_told_as_it_was(mlflow, run):
    values = ["NaN", "Infinity", "-Infinity", 0.1, -5.0, 1e300, 5e-324, 1e16, 2**53]
    words = ['"', "\\", "\n\t\x01\x7f", "é\u2028𝄞", "{}", "%s", "</script>"]
    metrics = [
        {"key": f"m{place}", "value": value, "timestamp": 2**62, "step": -place}
        for place, value in enumerate(values)
    ]
    params = [{"key": f"p{n}", "value": word} for n, word in enumerate(words)]
    logged = {"metrics": metrics, "params": params, "tags": params}
    mlflow("runs/log-batch", {"run_id": run.pk.hex, **logged})
    asked = {"experiment_ids": [run.experiment_id.hex]}

    [searched] = mlflow("runs/search", asked)["runs"]
    got = mlflow("runs/get", {"run_id": run.pk.hex}, method="get")["run"]

    assert searched == got
    for name, expected in logged.items():
        held = sorted(got["data"][name], key=lambda one: one["key"])
        told = [one for one in held if not one["key"].startswith("mlflow.")]
        assert told == expected


@pytest.mark.parametrize("key", ["../x", "/x", "a//b", "x" * 251, "a,b", ".", "a\0"])
def test_names_that_are_paths_elsewhere_are_refused(mlflow, run, key):
    pair = {"run_id": run.pk.hex, "key": key, "value": "1"}

    refused = mlflow("runs/log-parameter", pair, status=400)

    assert refused["error_code"] == "INVALID_PARAMETER_VALUE"


def test_too_much_at_once_is_refused(mlflow, run):
    point = {"key": "a", "value": 1, "timestamp": 1}
    pair = {"key": "a", "value": "1"}

    for data in ({"metrics": [point] * 1001}, {"params": [pair] * 101}):
        refused = mlflow("runs/log-batch", {"run_id": run.pk.hex, **data}, status=400)
        assert refused["error_code"] == "INVALID_PARAMETER_VALUE"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["0", "a" * 32, "1e400", "NaN", "-1", "\ud800", "a\0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "value", "dataset"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
NAMES = [
    "run_id", "experiment_id", "name", "new_name", "key", "value", "timestamp",
    "step", "metrics", "params", "tags", "status", "end_time", "start_time",
    "filter", "order_by", "max_results", "page_token", "metric_key", "run_ids",
    "experiment_ids", "view_type", "run_view_type", "datasets", "path", "user_id",
    "run_name",
]  # fmt: skip


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(sorted(_ENDPOINTS)),
    body=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
    knows=st.booleans(),
)
def test_no_body_brings_a_server_error(mlflow, run, name, body, knows):
    if knows:
        body |= {"run_id": run.pk.hex, "experiment_id": run.experiment_id.hex}
    path = f"{API}{name}"
    data = {key: str(value).encode("utf-8", "replace") for key, value in body.items()}

    posted = mlflow.client.post(path, body, content_type="application/json")
    gotten = mlflow.client.get(path, data)

    for answer in (posted, gotten):
        assert answer.status_code in NOT_RETRIED, answer.content
        assert answer["Content-Type"] == "application/json" or answer.status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000, b'"x"'])
def test_a_body_that_is_no_object_is_refused(mlflow, body):
    answer = mlflow.client.post(
        f"{API}runs/search", body, content_type="application/json"
    )

    assert answer.status_code == 400
    assert answer.json()["error_code"] == "BAD_REQUEST"
