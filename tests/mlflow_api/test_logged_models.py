"""Logged models at the door: what they refuse, whose files they keep, what is told."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audit.models import AuditEvent
from apps.experiments import actions
from apps.experiments.actions import LoggedModelStart, RunStart
from apps.experiments.models import LoggedModel, LoggedModelFile, LoggedModelMetric
from tests.factories import experiments as factory
from tests.mlflow_api.conftest import asker
from tests.mlflow_api.test_errors import JSON, NOT_RETRIED

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return actions.start_run(experiment=made, start=RunStart(), by=world.data_scientist)


@pytest.fixture
def model(world, run) -> LoggedModel:
    return actions.create_logged_model(
        experiment=run.experiment,
        start=LoggedModelStart(name="churn", source_run=run, parameters={"depth": "4"}),
        by=world.data_scientist,
    )


def put(client, path: str, content: bytes = b"x"):
    return client.put(f"{FILES}/{path}", content, content_type="text/plain")


def test_files_are_kept_listed_and_given_back(mlflow, model):
    root = f"{model.experiment_id.hex}/models/{model.public_id}/artifacts"
    assert put(mlflow.client, f"{root}/MLmodel", b"flavors: {}").status_code == 200
    assert put(mlflow.client, f"{root}/code/a.py").status_code == 200

    listed = mlflow.client.get(FILES, {"path": root}).json()["files"]
    inside = mlflow(
        f"logged-models/{model.public_id}/artifacts/directories",
        {"artifact_directory_path": "code"},
        method="get",
    )
    given_back = mlflow.client.get(f"{FILES}/{root}/MLmodel").getvalue()

    assert [(one["path"], one["is_dir"]) for one in listed] == [
        ("MLmodel", False),
        ("code", True),
    ]
    assert [one["path"] for one in inside["files"]] == ["code/a.py"]
    assert inside["root_uri"] == f"mlflow-artifacts:/{root}"
    assert given_back == b"flavors: {}"
    assert mlflow.client.delete(f"{FILES}/{root}/code/a.py").status_code == 200
    assert LoggedModelFile.objects.get(model=model).path == "MLmodel"
    told = AuditEvent.objects.filter(target_id=str(model.pk)).order_by("pk")
    assert [one.type.removeprefix("logged_model.") for one in told] == [
        "created",
        "file_logged",
        "file_logged",
        "file_downloaded",
        "file_deleted",
    ]


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_the_owner_is_found_by_the_path(world, mlflow, model, method):
    other = factory.experiment(world.project, world.data_scientist, "Other")
    put(
        mlflow.client,
        f"{model.experiment_id.hex}/models/{model.public_id}/artifacts/a",
    )

    path = f"{FILES}/{other.pk.hex}/models/{model.public_id}/artifacts/a"

    assert getattr(mlflow.client, method)(path).status_code == 404


def test_rows_of_data_ask_for_what_data_asks_for(world, mlflow, model):
    root = f"{model.experiment_id.hex}/models/{model.public_id}/artifacts"
    put(mlflow.client, f"{root}/example.csv")
    put(mlflow.client, f"{root}/MLmodel")
    manager = asker(world.operations_manager).client

    answers = [
        manager.get(f"{FILES}/{root}/{name}") for name in ("MLmodel", "example.csv")
    ]

    assert [(one.status_code, bool(one.getvalue())) for one in answers] == [
        (200, True),
        (403, True),
    ]


def test_a_deleted_model_is_shown_only_to_who_asks_for_deleted_ones(mlflow, model):
    path = f"logged-models/{model.public_id}"
    mlflow(path, method="delete")

    assert mlflow(path, method="get", status=404)["error_code"].endswith("NOT_EXIST")
    assert mlflow(path, {"allow_deleted": "true"}, method="get")["model"]
    assert (
        put(
            mlflow.client,
            f"{model.experiment_id.hex}/models/{model.public_id}/artifacts/a",
        ).status_code
        == 404
    )


def test_parameters_never_change(mlflow, model):
    path = f"logged-models/{model.public_id}/params"
    mlflow(path, {"params": [{"key": "depth", "value": "4"}]})

    changed = [{"key": "new", "value": "1"}, {"key": "depth", "value": "5"}]
    refused = mlflow(path, {"params": changed}, status=400)

    assert "'4' and never changes" in refused["message"]
    assert dict(model.parameters.values_list("key", "value")) == {"depth": "4"}


@pytest.mark.parametrize(
    ("body", "opening"),
    [
        ({"name": "a/b"}, "Invalid model name"),
        ({"name": "x" * 501}, "'xxxx"),
        ({"params": [{"key": "../x", "value": "1"}]}, "'../x' cannot be a name"),
        ({"source_run_id": "0" * 32}, "Run with id="),
    ],
)
def test_what_cannot_be_kept_is_refused(mlflow, run, body, opening):
    given = {"experiment_id": run.experiment_id.hex, **body}
    status = 404 if "source_run_id" in body else 400

    refused = mlflow("logged-models", given, status=status)

    assert refused["message"].startswith(opening)
    assert not LoggedModel.objects.exists()


def test_an_unknown_status_is_refused(mlflow, model):
    path = f"logged-models/{model.public_id}"

    refused = mlflow(path, {"status": "DONE"}, method="patch", status=400)

    assert "LOGGED_MODEL_READY" in refused["message"]


def test_points_speak_of_models_of_their_own_project_only(world, mlflow, run, model):
    point = {"key": "auc", "value": 0.5, "timestamp": 1, "model_id": model.public_id}
    stranger = point | {"model_id": "m-" + "0" * 32}
    asked = {"run_id": run.pk.hex, "metrics": [point, stranger]}

    refused = mlflow("runs/log-batch", asked, status=400)
    mlflow("runs/log-metric", {"run_id": run.pk.hex, **point})
    mlflow("runs/log-metric", {"run_id": run.pk.hex, **point})

    assert "of another project" in refused["message"]
    kept = LoggedModelMetric.objects.get()
    assert (kept.model, kept.run, kept.value) == (model, run, 0.5)


def test_what_older_clients_say_of_models_is_kept_in_a_tag(mlflow, run):
    text = '{"artifact_path": "m", "flavors": {}, "utc_time_created": "", "run_id": ""}'
    asked = {"run_id": run.pk.hex, "model_json": text}
    run.tags.create(key="mlflow.log-model.history", value="not JSON")

    mlflow("runs/log-model", asked)
    mlflow("runs/log-model", asked | {"model_json": text.replace('"m"', '"n"')})

    told = mlflow("runs/get", {"run_id": run.pk.hex}, method="get")["run"]
    history = {one["key"]: one["value"] for one in told["data"]["tags"]}
    assert history["mlflow.log-model.history"].count("artifact_path") == 2
    for wrong in ("{", "[]", "{}"):
        mlflow("runs/log-model", asked | {"model_json": wrong}, status=400)


def test_a_search_reads_the_same_number_of_times_whatever_it_finds(
    world, mlflow, run, django_assert_num_queries
):
    for number in range(12):
        start = LoggedModelStart(tags={"a": str(number)}, parameters={"b": "1"})
        actions.create_logged_model(
            experiment=run.experiment, start=start, by=world.data_scientist
        )
    asked = {"experiment_ids": [run.experiment_id.hex], "max_results": 2}
    first = mlflow("logged-models/search", asked)

    with django_assert_num_queries(7):
        mlflow("logged-models/search", asked | {"max_results": 12})

    rest = asked | {"page_token": first["next_page_token"], "max_results": 20}
    assert len(mlflow("logged-models/search", rest)["models"]) == 10


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    place=st.sampled_from(
        ["", "/params", "/tags", "/tags/a", "/artifacts/directories"]
    ),
    method=st.sampled_from(["get", "post", "patch", "delete", "put"]),
    body=st.dictionaries(
        st.sampled_from(["status", "params", "tags", "artifact_directory_path"]),
        JSON,
        max_size=3,
    ),
    knows=st.booleans(),
)
def test_no_body_brings_a_server_error(mlflow, model, place, method, body, knows):
    name = model.public_id if knows else "m-\N{SNOWMAN}"
    path = f"{API}logged-models/{name}{place}"

    answer = getattr(mlflow.client, method)(
        path, *([] if method == "get" else [body]), content_type="application/json"
    )

    assert answer.status_code in NOT_RETRIED, answer.content
    assert answer["Content-Type"] == "application/json"
