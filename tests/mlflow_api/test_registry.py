"""Registered models over MLflow's API: names, sources, governance, quarantine."""

import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.access.checks import NotNow
from apps.approvals import rules as approval_rules
from apps.audit.models import AuditEvent
from apps.core.errors import Refused
from apps.experiments import actions as experiments
from apps.experiments.actions import LoggedModelStart, RunStart
from apps.projects.actions import access, add_member
from apps.registry.models import ModelVersion, RegisteredModel, VersionState
from apps.validation import rules as validation_rules
from tests.factories import approvals, projects, registry
from tests.factories import experiments as factory
from tests.mlflow_api.conftest import asker


class Spy:
    """What a pickle of somebody hostile would do when it is read."""

    def __reduce__(self):
        return os.mkdir, ("/tmp/unpickled-by-the-portal",)  # noqa: S108  # never made


@pytest.fixture
def run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return experiments.start_run(
        experiment=made, start=RunStart("run"), by=world.data_scientist
    )


def log(run, path: str, content: bytes = b"a model"):
    experiments.log_artifact(
        run=run, file=factory.artifact(path, content), by=run.recorded_by
    )


@pytest.fixture
def churn(mlflow, run):
    """Version 1 of churn, from one folder of the run."""
    log(run, "churn/model.bin")
    log(run, "notes.txt")
    mlflow("registered-models/create", {"name": "churn"})
    return create(mlflow, f"runs:/{run.pk.hex}/churn")


def create(ask, source: str, status: int = 200, **fields):
    given = {"name": "churn", "source": source, **fields}
    answer = ask("model-versions/create", given, status=status)
    return answer.get("model_version", answer)


def last_event() -> AuditEvent:
    return AuditEvent.objects.order_by("-pk")[0]


def test_a_version_is_the_frozen_files_below_its_root(mlflow, run, churn):
    log(run, "churn/later.bin")

    version = ModelVersion.objects.get()
    assert [entry["path"] for entry in version.manifest] == ["model.bin"]
    assert (version.run, version.root) == (run, "churn")
    assert churn["run_id"] == run.pk.hex
    where = {"name": "churn", "version": "1"}
    uri = mlflow("model-versions/get-download-uri", where, method="get")
    path = uri["artifact_uri"].removeprefix("mlflow-artifacts:/")
    door = "/api/2.0/mlflow-artifacts/artifacts"
    listed = mlflow.client.get(door, {"path": path}).json()["files"]
    assert [one["path"] for one in listed] == ["model.bin"]
    taken = mlflow.client.get(f"{door}/{path}/model.bin")
    assert b"".join(taken.streaming_content) == b"a model"
    assert last_event().type == "model.downloaded"
    assert mlflow.client.get(f"{door}/{path}/later.bin").status_code == 404
    for method in ("put", "delete"):
        send = getattr(mlflow.client, method)
        answer = send(f"{door}/{path}/new.bin", b"x", content_type="text/plain")
        assert answer.status_code == 403
        assert "never change" in answer.json()["message"]


def test_a_registered_run_takes_new_files_and_keeps_the_old(mlflow, run, churn):
    log(run, "more.txt")

    with pytest.raises(Refused, match="registered as a model"):
        log(run, "churn/model.bin", b"another model")
    with pytest.raises(Refused, match="registered as a model"):
        experiments.delete_artifact(
            artifact=run.artifacts.get(path="churn/model.bin"), by=run.recorded_by
        )


def test_a_logged_model_is_registered_with_its_run_and_frozen(
    mlflow, world, run, churn
):
    logged = experiments.create_logged_model(
        experiment=run.experiment,
        start=LoggedModelStart(source_run=run),
        by=world.data_scientist,
    )
    file = factory.artifact("MLmodel", b"flavors: {}")
    experiments.log_model_file(model=logged, file=file, by=world.data_scientist)

    told = create(mlflow, f"models:/{logged.public_id}", model_id=logged.public_id)

    assert (told["model_id"], told["run_id"]) == (logged.public_id, run.pk.hex)
    info = mlflow(f"logged-models/{logged.public_id}", method="get")["model"]["info"]
    assert info["registrations"] == [{"name": "churn", "version": "2"}]
    with pytest.raises(Refused, match="was registered"):
        experiments.log_model_file(
            model=logged, file=factory.artifact("x"), by=world.data_scientist
        )
    with pytest.raises(Refused, match="was registered"):
        experiments.delete_logged_model(model=logged, by=world.data_scientist)


def test_a_version_is_copied_with_its_files(mlflow, churn):
    mlflow("registered-models/create", {"name": "prod"})

    copied = create(mlflow, "models:/churn/1", name="prod")

    first, second = ModelVersion.objects.order_by("pk")
    assert (second.manifest, second.run) == (first.manifest, first.run)
    assert (copied["source"], copied["version"]) == ("models:/churn/1", "1")


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "file:///etc",
        "s3://bucket/model",
        "https://elsewhere.example/model",
        "runs:/{run}/../other",
        "runs:/{run}/%2e%2e/other",
        "runs:/{run}/%252e%252e/other",
        "runs:/{run}/nothing",
        "runs:/" + "0" * 32,
        "models:/m-" + "0" * 32,
        "models:/nobody/1",
        "models:/churn/99",
        "mlflow-artifacts:/{experiment}/{run}/artifacts/../../x",
        "mlflow-artifacts:/registry/" + "0" * 32 + "/1",
        "mlflow-artifacts://host:1/{experiment}/{run}/artifacts",
        "dummy-source",
        "prompt-template",
    ],
)
def test_a_source_outside_of_the_portal_is_refused(mlflow, run, churn, source):
    address = source.format(run=run.pk.hex, experiment=run.experiment_id.hex)
    status = 404 if "0" * 32 in source or source[-2:] in ("99", "/1") else 400

    refused = create(mlflow, address, status)

    assert refused["message"]
    assert ModelVersion.objects.count() == 1


def test_a_source_lies_in_what_the_request_names(mlflow, world, run, churn):
    other = experiments.start_run(
        experiment=run.experiment, start=RunStart("other"), by=world.data_scientist
    )
    logged = experiments.create_logged_model(
        experiment=run.experiment, start=LoggedModelStart(), by=world.data_scientist
    )
    source = f"runs:/{run.pk.hex}/churn"

    for named in ({"run_id": other.pk.hex}, {"model_id": logged.public_id}):
        refused = create(mlflow, source, 400, **named)
        assert "does not lie in" in refused["message"]


def test_no_run_lends_its_evidence_to_a_model_that_it_did_not_make(
    mlflow, world, churn
):
    """Its data, its held-out rows and its regeneration speak of its own files."""
    trained = registry.run_with_model(world.project, world.data_scientist)
    logged = experiments.create_logged_model(
        experiment=trained.experiment,
        start=LoggedModelStart(),
        by=world.data_scientist,
    )
    file = factory.artifact("model.onnx", b"made at home")
    experiments.log_model_file(model=logged, file=file, by=world.data_scientist)
    source = f"models:/{logged.public_id}"

    refused = create(mlflow, source, 400, run_id=trained.pk.hex)

    assert "was not saved by the run" in refused["message"]
    assert create(mlflow, source)["version"] == "2"
    assert ModelVersion.objects.get(number=2).run is None


def test_nothing_is_registered_of_a_deleted_run(mlflow, world, run, churn):
    other = experiments.start_run(
        experiment=run.experiment, start=RunStart("other"), by=world.data_scientist
    )
    log(other, "churn/model.bin")
    experiments.delete_run(run=other, by=world.data_scientist)

    refused = create(mlflow, f"runs:/{other.pk.hex}/churn", 400)

    assert "is deleted" in refused["message"]
    assert ModelVersion.objects.count() == 1


def test_the_files_of_another_project_stay_there(mlflow, world, churn):
    other = projects.project("weather")
    manager = other.memberships.get().user
    add_member(
        project=other, person=world.data_scientist, role="data_scientist", by=manager
    )
    mlflow("registered-models/create", {"name": "weather/churn"})

    refused = create(mlflow, "models:/churn/1", 400, name="weather/churn")

    assert "another project" in refused["message"]


@pytest.mark.parametrize("name", ["a:b", ".", "..", "x" * 256, "a\x07", " "])
def test_a_name_that_is_none_is_refused(mlflow, name):
    refused = mlflow("registered-models/create", {"name": name}, status=400)

    assert refused["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_name_is_free_again_and_a_number_never(mlflow, run, churn):
    create(mlflow, f"runs:/{run.pk.hex}/churn")
    mlflow("model-versions/delete", {"name": "churn", "version": "2"}, method="delete")
    assert create(mlflow, f"runs:/{run.pk.hex}/churn")["version"] == "3"
    taken = mlflow("registered-models/create", {"name": "churn"}, status=400)
    assert taken["error_code"] == "RESOURCE_ALREADY_EXISTS"

    mlflow("registered-models/delete", {"name": "churn"}, method="delete")

    assert last_event().changes["versions"] == [[1, 3], []]
    mlflow("registered-models/create", {"name": "churn"})
    found = mlflow("registered-models/get", {"name": "churn"}, method="get")
    assert found["registered_model"]["latest_versions"] == []
    assert RegisteredModel.objects.count() == 2
    experiments.delete_run(run=run, by=run.recorded_by)  # of no version any more


def test_the_champion_moves_by_an_approval_only(mlflow, world):
    version = approvals.validated_version(world)
    alias = {"name": "damage", "alias": "champion", "version": "1"}

    refused = mlflow("registered-models/alias", alias, status=403)

    assert refused["error_code"] == "PERMISSION_DENIED"
    assert "moves with the last signature" in refused["message"]
    page = f"http://testserver{version.get_absolute_url()}"
    assert refused["message"].endswith(page)
    request = approvals.request(world, version)
    refused = mlflow("registered-models/alias", alias, status=403)
    assert f"http://testserver{request.get_absolute_url()}" in refused["message"]
    approvals.sign(
        request, world.validator, world.operations_manager, world.program_manager
    )
    assert mlflow("registered-models/alias", alias) == {}
    del alias["version"]
    refused = mlflow("registered-models/alias", alias, method="delete", status=403)
    assert page in refused["message"]
    capital = alias | {"alias": "Champion", "version": "1"}
    assert mlflow("registered-models/alias", capital, status=400)


def test_production_needs_an_approval_in_force(mlflow, world, settings):
    settings.PORTAL_URL = "https://portal.example/"
    version = approvals.validated_version(world)
    where = {"name": "damage", "version": "1"}
    stage = where | {"stage": "production"}

    refused = mlflow("model-versions/transition-stage", stage, status=403)

    assert "approval is in force" in refused["message"]
    assert f"https://portal.example{version.get_absolute_url()}" in refused["message"]
    approvals.sign(
        approvals.request(world, version),
        world.validator,
        world.operations_manager,
        world.program_manager,
    )
    moved = mlflow("model-versions/transition-stage", stage)["model_version"]
    assert (moved["current_stage"], moved["aliases"]) == ("Production", ["champion"])
    archived = where | {"stage": "Archived"}
    refused = mlflow("model-versions/transition-stage", archived, status=403)
    assert "is champion" in refused["message"]
    for gone in ("model-versions", "registered-models"):
        refused = mlflow(f"{gone}/delete", where, method="delete", status=403)
        assert "cannot be deleted" in refused["message"]


def test_what_a_report_refers_to_is_not_deleted(mlflow, world):
    approvals.validated_version(world)
    where = {"name": "damage", "version": "1"}

    refused = mlflow("model-versions/delete", where, method="delete", status=403)

    assert "validation report" in refused["message"]


def test_a_pickle_is_kept_and_never_loaded(mlflow, world, run, churn):
    log(run, "bad/weights.bin", pickle.dumps(Spy()))

    told = create(mlflow, f"runs:/{run.pk.hex}/bad")

    assert "weights.bin is a Python pickle" in told["status_message"]
    assert "posix.mkdir" in told["status_message"]
    assert last_event().changes["quarantined"] == ["weights.bin"]
    version = ModelVersion.objects.get(number=2)
    version.state = VersionState.VALIDATED
    for decision in (
        validation_rules.can_write_plan(world.validator, version.model),
        validation_rules.can_request_report(world.validator, version),
        approval_rules.can_request_approval(world.data_scientist, version),
    ):
        assert isinstance(decision, NotNow)
        assert decision.reason == version.quarantine
    assert not os.path.exists("/tmp/unpickled-by-the-portal")  # noqa: S108


def test_a_restricted_model_is_not_there_for_others(mlflow, world, churn):
    model = RegisteredModel.objects.get()
    access.restrict(thing=model, by=world.data_scientist)
    ask = asker(world.developer, world.project.slug)
    where = {"name": "churn", "version": "1"}

    for path in ("registered-models/get", "model-versions/get"):
        ask(path, where, method="get", status=404)
    found = ask("registered-models/search", method="get")
    assert "registered_models" not in found or found["registered_models"] == []
    path = f"registry/{model.pk.hex}/1/model.bin"
    door = f"/api/2.0/mlflow-artifacts/artifacts/{path}"
    assert ask.client.get(door).status_code == 404
    access.grant(thing=model, person=world.developer, by=world.data_scientist)
    assert ask("model-versions/get", where, method="get")
    taken = ask.client.get(door)
    assert b"".join(taken.streaming_content) == b"a model"


def test_names_of_projects_are_read_as_for_experiments(mlflow, world, churn):
    slug = world.project.slug
    found = mlflow("registered-models/get", {"name": f"{slug}/churn"}, method="get")
    assert found["registered_model"]["name"] == "churn"
    ask = asker(world.data_scientist)
    refused = ask("registered-models/get", {"name": "churn"}, method="get", status=400)
    assert "Name it as project/model" in refused["message"]
    found = ask("registered-models/search", method="get")["registered_models"]
    assert [one["name"] for one in found] == [f"{slug}/churn"]
    mlflow.client.defaults["HTTP_X_PORTAL_PROJECT"] = slug
    asked = {"name": "other/churn"}
    mlflow("registered-models/get", asked, method="get", status=400)


def test_a_list_of_models_costs_the_same_whatever_it_holds(
    mlflow, world, churn, django_assert_max_num_queries
):
    registry.model_version(world.project, world.data_scientist)

    with django_assert_max_num_queries(14):
        found = mlflow("registered-models/search", method="get")

    assert len(found["registered_models"]) == 2


def test_versions_of_many_at_once_count_up(committed, world, run):
    log(run, "churn/model.bin")
    ask = asker(world.data_scientist, world.project.slug)
    ask("registered-models/create", {"name": "churn"})

    def register(_):
        try:
            return int(create(ask, f"runs:/{run.pk.hex}/churn")["version"])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(pool.map(register, range(8)))

    assert numbers == list(range(1, 9))
