"""What a data scientist's script does, with the stock client and nothing else."""

import math
from pathlib import Path

import mlflow
import pandas as pd
import plotly.graph_objects as go
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, ViewType
from mlflow.exceptions import MlflowException

client = MlflowClient()

# An experiment, a run with parameters, metrics, tags and data.
experiment = mlflow.set_experiment("Churn")
assert mlflow.set_experiment("Churn").experiment_id == experiment.experiment_id
mlflow.set_experiment_tag("team", "retention")
frame = pd.DataFrame({"age": [1, 2, 3], "left": [0, 1, 0]})
with mlflow.start_run(run_name="first", tags={"stage": "trial"}) as run:
    mlflow.log_params({"depth": 4, "estimator": "tree"})
    mlflow.log_metric("loss", 0.9, step=1)
    mlflow.log_metric("loss", 0.4, step=2)
    mlflow.log_metrics({"auc": 0.8, "odd": math.nan, "huge": math.inf})
    mlflow.log_metric("later", 1.0, synchronous=False).wait()
    for step in range(40):
        mlflow.log_metric("stream", step / 40, step=step, synchronous=False)
    mlflow.flush_async_logging()
    data = mlflow.data.from_pandas(frame, source="people.csv", name="people")
    mlflow.log_input(data, context="training")
    mlflow.log_input(data, context="training")
    mlflow.set_tag("mlflow.note.content", "A first *look*.")
    mlflow.log_text("hello", "notes/deep/a b=c é.txt")
    mlflow.log_dict({"a": 1}, "config.json")
    mlflow.log_figure(go.Figure(go.Scatter(x=[1], y=[2])), "figures/plot.html")
    Path("out").mkdir()
    Path("out/table.csv").write_text("a,b\n1,2\n")
    mlflow.log_artifacts("out", "tables")
    with mlflow.start_run(run_name="child", nested=True) as child:
        mlflow.log_param("depth", 2)
        mlflow.log_metric("auc", 0.7)

read = client.get_run(run.info.run_id)
assert read.info.status == "FINISHED"
assert read.info.run_name == "first"
assert read.data.params == {"depth": "4", "estimator": "tree"}
assert read.data.metrics["loss"] == 0.4
assert math.isnan(read.data.metrics["odd"])
assert read.data.metrics["huge"] == math.inf
assert read.data.metrics["stream"] == 39 / 40
assert read.data.tags["stage"] == "trial"
assert [
    (one.dataset.name, one.tags[0].value) for one in read.inputs.dataset_inputs
] == [("people", "training")]
parent = client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"]
assert parent == run.info.run_id

# History, in pages of the client's choosing and over several runs.
history = client.get_metric_history(run.info.run_id, "loss")
assert [(one.step, one.value) for one in history] == [(1, 0.9), (2, 0.4)]
assert len(client.get_metric_history(run.info.run_id, "stream")) == 40

# Parameters never change; the same value again is fine.
client.log_param(run.info.run_id, "depth", 4)
with pytest.raises(MlflowException, match="Changing param values") as refused:
    client.log_param(run.info.run_id, "depth", 5)
assert refused.value.error_code == "INVALID_PARAMETER_VALUE"

# Many points at once; the client parts them into batches.
many = [
    Metric("bulk", step / 7, 1_700_000_000_000 + step, step) for step in range(2500)
]
client.log_batch(run.info.run_id, metrics=many[:1000])
client.log_batch(run.info.run_id, metrics=many[:1000])
client.log_batch(run.info.run_id, metrics=many[1000:2000])
assert len(client.get_metric_history(run.info.run_id, "bulk")) == 2000

# Search as a data frame, with filter and order.
found = mlflow.search_runs(
    experiment_names=["Churn"],
    filter_string="metrics.auc > 0.75 and params.estimator = 'tree'",
)
assert list(found["run_id"]) == [run.info.run_id]
assert found["metrics.auc"][0] == 0.8
ordered = mlflow.search_runs(
    experiment_names=["Churn"], order_by=["metrics.auc ASC"], max_results=1
)
assert list(ordered["tags.mlflow.runName"]) == ["child"]
by_data = client.search_runs([experiment.experiment_id], "datasets.name = 'people'")
assert [one.info.run_id for one in by_data] == [run.info.run_id]
names = [one.name for one in mlflow.search_experiments(filter_string="name = 'Churn'")]
assert names == ["Churn"]

# Artifacts: listed, downloaded, read, one by one and as a folder.
listed = {one.path: one.is_dir for one in client.list_artifacts(run.info.run_id)}
assert listed == {"config.json": False, "figures": True, "notes": True, "tables": True}
inside = client.list_artifacts(run.info.run_id, "tables")
assert [(one.path, one.file_size) for one in inside] == [("tables/table.csv", 8)]
folder = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path="down")
assert (Path(folder) / "notes/deep/a b=c é.txt").read_text() == "hello"
assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/config.json") == {"a": 1}

# Delete and restore, of a run and of an experiment; tags come and go.
client.delete_run(child.info.run_id)
assert client.get_run(child.info.run_id).info.lifecycle_stage == "deleted"
assert len(client.search_runs([experiment.experiment_id])) == 1
gone = client.search_runs(
    [experiment.experiment_id], run_view_type=ViewType.DELETED_ONLY
)
assert [one.info.run_id for one in gone] == [child.info.run_id]
client.restore_run(child.info.run_id)
assert len(client.search_runs([experiment.experiment_id])) == 2
client.set_tag(run.info.run_id, "passing", "yes")
client.delete_tag(run.info.run_id, "passing")
assert "passing" not in client.get_run(run.info.run_id).data.tags
client.rename_experiment(experiment.experiment_id, "Churn 2")
client.delete_experiment(experiment.experiment_id)
assert mlflow.get_experiment(experiment.experiment_id).lifecycle_stage == "deleted"
client.restore_experiment(experiment.experiment_id)
assert mlflow.get_experiment_by_name("Churn 2").lifecycle_stage == "active"
assert mlflow.get_experiment_by_name("Nothing") is None

# A run that fails says so; one that is taken up again goes on.
with pytest.raises(ZeroDivisionError), mlflow.start_run() as failed:
    1 / 0  # noqa: B018
assert client.get_run(failed.info.run_id).info.status == "FAILED"
with mlflow.start_run(run_id=failed.info.run_id):
    mlflow.log_metric("auc", 0.1)
assert client.get_run(failed.info.run_id).info.status == "FINISHED"
Path("run.txt").write_text(run.info.run_id)
