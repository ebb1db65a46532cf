"""A script as it was written for MLflow 2: models are logged by a path of their run."""

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
mlflow.set_experiment("Older")
frame = pd.DataFrame({"age": np.arange(20.0), "visits": np.arange(20.0) % 5})
left = (frame["age"] > 9).astype(int)
fitted = LogisticRegression().fit(frame, left)
wanted = list(fitted.predict(frame))

with mlflow.start_run() as run:
    mlflow.log_params({"depth": 1})
    mlflow.sklearn.log_model(
        fitted,
        artifact_path="churn",
        signature=infer_signature(frame, left),
        registered_model_name="older",
    )
    mlflow.log_metric("auc", 0.9)
again = mlflow.register_model(f"runs:/{run.info.run_id}/churn", "older")
assert int(again.version) == 2

mlflow.sklearn.autolog(silent=True)
with mlflow.start_run() as automatic:
    LogisticRegression().fit(frame, left)
mlflow.sklearn.autolog(disable=True)
assert "training_accuracy_score" in client.get_run(automatic.info.run_id).data.metrics

client.set_registered_model_alias("older", "candidate", "2")
client.transition_model_version_stage("older", "1", "Staging")
for address in (
    f"runs:/{run.info.run_id}/churn",
    f"runs:/{automatic.info.run_id}/model",
    "models:/older@candidate",
    "models:/older/1",
    "models:/older/Staging",
):
    assert list(mlflow.pyfunc.load_model(address).predict(frame)) == wanted, address
for refused in (
    lambda: client.set_registered_model_alias("older", "champion", "2"),
    lambda: client.transition_model_version_stage("older", "2", "Production"),
):
    with pytest.raises(MlflowException, match="approval"):
        refused()
found = client.search_model_versions("name = 'older'", order_by=["version_number ASC"])
assert [int(one.version) for one in found] == [1, 2]
client.delete_model_version("older", "2")
with pytest.raises(MlflowException, match="not found"):
    client.get_model_version("older", "2")
Path("run.txt").write_text(run.info.run_id)
