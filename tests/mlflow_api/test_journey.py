"""The stock client against a real portal, over HTTP."""

import pytest

from apps.audit.models import AuditEvent
from apps.experiments.models import Experiment, LoggedModel, LogSegment, Run
from apps.experiments.queries import segment_digest
from apps.registry.models import ModelVersion, RegisteredModel
from tests.mlflow_api.conftest import client_release

of_mlflow_3 = pytest.mark.skipif(
    client_release().startswith("2."), reason="MLflow 2 has no logged models"
)


def test_the_stock_client_finds_what_it_expects(portal, world, tmp_path):
    portal.run("journey.py", tmp_path)
    portal.run("plain.py", tmp_path)

    run = Run.objects.get(pk=(tmp_path / "run.txt").read_text())
    assert str(run.experiment) == f"{world.project.slug}/Churn 2"
    assert run.recorded_by == world.data_scientist
    assert Experiment.objects.filter(project=world.project, name="Default").count() == 1
    closed = LogSegment.objects.filter(run=run, closed_at__isnull=False)
    assert closed.get().digest == segment_digest(closed.get())
    told = AuditEvent.objects.filter(target_id=str(run.pk), type="run.logged")
    assert told.get().changes["digest"] == closed.get().digest


@of_mlflow_3
def test_the_stock_client_logs_models_and_loads_them(portal, world, tmp_path):
    portal.run("models.py", tmp_path)

    key = (tmp_path / "model.txt").read_text().removeprefix("m-")
    model = LoggedModel.objects.get(pk=key)
    files = set(model.files.values_list("path", flat=True))
    assert {"MLmodel", "requirements.txt"} <= files
    told = AuditEvent.objects.filter(target_id=str(model.pk))
    finished = told.get(type="logged_model.finished").changes
    assert finished["status"] == ["PENDING", "READY"]
    assert set(finished["files"]) == files
    closed = LogSegment.objects.get(run=(tmp_path / "run.txt").read_text())
    assert closed.model_metrics == 2
    assert closed.digest == segment_digest(closed)


@of_mlflow_3
def test_the_stock_client_registers_models_and_loads_them(portal, world, tmp_path):
    portal.run("registry.py", tmp_path)

    models = RegisteredModel.objects.visible_to(world.data_scientist)
    assert set(models.values_list("name", flat=True)) == {
        "churn",
        "risky",
        "Churn, copied",
    }
    versions = ModelVersion.objects.filter(model__name="churn").order_by("number")
    assert [one.number for one in versions] == [1, 2, 3, 4]
    assert versions[2].deleted_at
    assert len({one.logged_model_id for one in versions}) == 1
    assert versions[1].run.pk.hex == (tmp_path / "run.txt").read_text()
    told = AuditEvent.objects.filter(actor_id=world.data_scientist.pk)
    assert told.filter(type="model.stage_moved").count() == 2
    assert told.filter(type="model.downloaded", target_id=str(versions[1].pk)).exists()


def test_a_script_for_mlflow_2_registers_models_and_loads_them(portal, world, tmp_path):
    portal.run("older.py", tmp_path)

    versions = ModelVersion.objects.filter(model__name="older").order_by("number")
    assert [bool(one.deleted_at) for one in versions] == [False, True]
    assert {one.run.pk.hex for one in versions} == {(tmp_path / "run.txt").read_text()}
