"""A model that a script logged can be evaluated where it says what it answers."""

from apps.registry.models import ModelVersion
from apps.validation import queries, rules
from apps.validation.evaluation_inputs import missing_files
from tests.mlflow_api.test_registry import churn, create, log, run
from tests.registry.test_mlmodel import METADATA, described

__all__ = ["churn", "run"]  # fixtures


def test_a_logged_onnx_model_can_be_validated(mlflow, world, run, churn):
    log(run, "net/model.onnx")
    log(run, "net/MLmodel", described(**METADATA).encode())
    log(run, "data/test.parquet", b"rows")

    create(mlflow, f"runs:/{run.pk.hex}/net")

    version = ModelVersion.objects.get(number=2)
    assert version.unfit_reason == ""
    assert [one["path"] for one in version.manifest] == ["MLmodel", "model.onnx"]
    assert [one["path"] for one in version.evaluation_files] == ["data/test.parquet"]
    assert missing_files(version) == []
    assert queries.known_question_of(version).positive_label == "yes"
    assert rules.can_write_plan(world.validator, version.model)


def test_another_model_says_why_it_cannot(mlflow, world, churn):
    version = ModelVersion.objects.get()

    decision = rules.can_write_plan(world.validator, version.model)

    assert "The portal cannot evaluate" in decision.reason
    assert "model.onnx" in decision.reason
    assert churn["status_message"] == version.unfit_reason
