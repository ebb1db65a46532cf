"""From the stock client to a verdict: an ONNX model that nobody trained here."""

import pandas as pd
import pytest
from django.urls import reverse
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from apps.audit.models import AuditEvent
from apps.jobs.models import JobStatus
from apps.registry.models import ModelVersion
from apps.validation.models import ValidationReport
from tests.engine.tables import put_table, strikes
from tests.workers.conftest import broker, wait_for, workers

__all__ = ["broker", "workers"]  # fixtures

pytestmark = pytest.mark.worker

COLUMNS = ["speed", "size"]


@pytest.fixture
def rows() -> pd.DataFrame:
    return strikes(600).dropna(subset=COLUMNS)[[*COLUMNS, "state", "damaged"]]


@pytest.fixture
def fitted(rows) -> Pipeline:
    columns = make_column_transformer(
        (StandardScaler(), ["speed"]), (OneHotEncoder(), ["size"])
    )
    seen = rows[:300]
    return make_pipeline(columns, LogisticRegression()).fit(
        seen[COLUMNS], seen["damaged"]
    )


def as_onnx(fitted: Pipeline) -> bytes:
    model = convert_sklearn(
        fitted,
        initial_types=[
            ("speed", FloatTensorType([None, 1])),
            ("size", StringTensorType([None, 1])),
        ],
        options={id(fitted): {"zipmap": False}},
        target_opset={"": 21, "ai.onnx.ml": 3},
    )
    return model.SerializeToString()


def test_an_onnx_model_of_the_stock_client_is_validated(
    workers, portal, world, client_of, tmp_path, rows, fitted
):
    held_out = rows[300:]
    put_table(tmp_path / "test.parquet", held_out)
    (tmp_path / "strikes.onnx").write_bytes(as_onnx(fitted))
    portal.run("onnx_net.py", tmp_path)
    version = ModelVersion.objects.get(model__name="strikes")
    validator = client_of(world.validator)
    workers.start()

    wrote = validator.post(
        reverse("validation:write_plan", args=[world.project.slug, "strikes"]),
        {
            "measure_0": "accuracy",
            "threshold_0": "0.7",
            "blocking_0": "on",
            "measure_1": "recall",
            "threshold_1": "0.99999",
        },
    )
    asked = validator.post(
        reverse("validation:request_report", args=[world.project.slug, "strikes", 1])
    )
    report = ValidationReport.objects.get(version=version)
    wait_for(lambda: _has_ended(report), seconds=120)

    assert (wrote.status_code, asked.status_code) == (302, 302)
    assert report.status == JobStatus.SUCCEEDED, report.failure_message
    page = validator.get(report.get_absolute_url()).text
    measured = {one["measure"]: one["value"] for one in report.result["measures"]}
    right = fitted.predict(held_out[COLUMNS]) == held_out["damaged"]
    assert measured["accuracy"] == pytest.approx(right.mean())
    assert report.result["rows"] == len(held_out)
    assert report.result["verdict"] == "pass"
    version.refresh_from_db()
    assert version.state == "validated"
    assert "Accuracy" in page
    told = AuditEvent.objects.filter(target_id=str(report.pk)).order_by("pk")
    assert [one.type for one in told] == [
        "report.requested",
        "report.started",
        "report.finished",
    ]


def _has_ended(report: ValidationReport) -> bool:
    report.refresh_from_db()
    return report.status not in {JobStatus.QUEUED, JobStatus.RUNNING}
