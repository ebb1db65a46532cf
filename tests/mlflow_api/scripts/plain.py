"""A script that knows nothing of experiments: it logs, and that is all."""

import mlflow

with mlflow.start_run() as run:
    mlflow.log_metric("auc", 0.5)
assert run.info.experiment_id == "0"
assert mlflow.get_experiment("0").name == "Default"
assert mlflow.get_experiment_by_name("Default").experiment_id == "0"
assert len(mlflow.search_runs(["0"])) == 1
