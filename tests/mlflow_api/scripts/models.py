"""A data scientist who logs models, with the stock client and nothing else."""

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelInput
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
experiment = mlflow.set_experiment("Models")
frame = pd.DataFrame({"age": np.arange(20.0), "visits": np.arange(20.0) % 5})
left = (frame["age"] > 9).astype(int)
fitted = LogisticRegression().fit(frame, left)
wanted = list(fitted.predict(frame))

# A model is logged with a run, and read back under each of its addresses.
with mlflow.start_run(run_name="by hand") as run:
    data = mlflow.data.from_pandas(frame, name="people")
    logged = mlflow.sklearn.log_model(
        fitted, name="churn", input_example=frame[:2], params={"depth": "1"}
    )
    mlflow.log_metric("auc", 0.9, model_id=logged.model_id, dataset=data)
    mlflow.log_metric("auc", 0.7, model_id=logged.model_id)
    mlflow.log_params({"depth": 1})
    run_id = run.info.run_id
found = client.get_logged_model(logged.model_id)
assert str(found.status) == "READY"
assert (found.name, found.source_run_id) == ("churn", run_id)
assert found.params == {"depth": "1"}
measured = {(one.dataset_name, one.value) for one in found.metrics}
assert measured == {("people", 0.9), (None, 0.7)} or measured == {
    ("people", 0.9),
    ("", 0.7),
}
outputs = client.get_run(run_id).outputs.model_outputs
assert [one.model_id for one in outputs] == [logged.model_id]
for address in (f"models:/{logged.model_id}", f"runs:/{run_id}/churn"):
    model = mlflow.pyfunc.load_model(address)
    assert list(model.predict(frame)) == wanted
assert list(mlflow.sklearn.load_model(logged.model_uri).predict(frame)) == wanted

# Tags, inputs of another run, search with a filter and an order by metric.
client.set_logged_model_tags(logged.model_id, {"team": "retention", "odd": "x"})
client.delete_logged_model_tag(logged.model_id, "odd")
assert client.get_logged_model(logged.model_id).tags["team"] == "retention"
with pytest.raises(MlflowException):
    client.delete_logged_model_tag(logged.model_id, "odd")
with mlflow.start_run(run_name="judged") as judged:
    client.log_inputs(
        judged.info.run_id, models=[LoggedModelInput(model_id=logged.model_id)]
    )
used = client.get_run(judged.info.run_id).inputs.model_inputs
assert [one.model_id for one in used] == [logged.model_id]
other = mlflow.create_external_model(name="elsewhere", params={"depth": "2"})
names = [
    one.name
    for one in mlflow.search_logged_models(
        filter_string="metrics.auc > 0.8 AND params.depth = '1'",
        datasets=[{"dataset_name": "people"}],
        output_format="list",
    )
]
assert names == ["churn"]
ordered = mlflow.search_logged_models(
    order_by=[{"field_name": "metrics.auc", "ascending": False}], output_format="list"
)
assert [one.name for one in ordered] == ["churn", "elsewhere"]
client.delete_logged_model(other.model_id)
with pytest.raises(MlflowException, match="not found"):
    client.get_logged_model(other.model_id)

# Autologging sees a training, its parameters, figures and model.
mlflow.sklearn.autolog(log_datasets=True)
with mlflow.start_run(run_name="automatic") as automatic:
    LogisticRegression(C=0.5).fit(frame, left)
mlflow.sklearn.autolog(disable=True)
read = client.get_run(automatic.info.run_id)
assert read.data.params["C"] == "0.5"
assert "training_score" in read.data.metrics
assert len(read.outputs.model_outputs) == 1
assert [one.dataset.name for one in read.inputs.dataset_inputs]
Path("run.txt").write_text(run_id)
Path("model.txt").write_text(logged.model_id)
