"""Fill what MLFLOW_TRACKING_URI names with the stock client, and tell what is there.

Writes `there.json`: what the client itself reads back, by run.
"""

import hashlib
import json
import math
import os
import pickle
import sys
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.entities import (
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    ViewType,
)
from mlflow.exceptions import MlflowException

client = mlflow.MlflowClient()

churn = client.create_experiment("Churn", tags={"mlflow.note.content": "Who leaves?"})
mlflow.set_experiment(experiment_id=churn)
with mlflow.start_run(run_name="search") as parent:
    mlflow.log_params({"folds": 5, "deep/key": "a b", "long": "x" * 400})
    mlflow.set_tags({"team": "blue", "empty": ""})
    frame = pd.DataFrame({"age": [1, 2], "left": [0, 1]})
    data = mlflow.data.from_pandas(frame, source="https://data.test/c.csv", name="c")
    mlflow.log_input(data, context="training", tags={"part": "a"})
    points = [Metric("loss", 1 / (n + 1), 1_000 + n, n) for n in range(600)]
    client.log_batch(parent.info.run_id, metrics=points[:500])
    client.log_batch(parent.info.run_id, metrics=points[500:])
    for step, value in enumerate([math.nan, math.inf, -math.inf, -0.5]):
        mlflow.log_metric("odd/loss", value, step=step - 1)
    mlflow.log_text("hello", "notes.txt")
    mlflow.log_text("", "a/b/empty.txt")
    mlflow.log_dict({"a": [1, 2]}, "a/b/c é.json")
    for depth in range(3):
        with mlflow.start_run(run_name=f"depth {depth}", nested=True):
            mlflow.log_param("depth", depth)
            mlflow.log_metric("auc", 0.5 + depth / 10)

with mlflow.start_run(run_name="network") as network:
    model = mlflow.initialize_logged_model(
        name="net",
        source_run_id=network.info.run_id,
        params={"layers": "3"},
        tags={"kind": "small"},
        model_type="agent",
    )
    Path("weights").mkdir()
    for name in ("w 1.bin", "w2.bin"):
        Path("weights", name).write_text(name)
    client.log_model_artifacts(model.model_id, "weights")
    mlflow.finalize_logged_model(model.model_id, "READY")
    mlflow.log_metric("auc", 0.75, step=0, model_id=model.model_id, dataset=data)
    mlflow.log_metric("auc", 0.5, step=1, model_id=model.model_id)
    made = [LoggedModelOutput(model.model_id, step=7)]
    client.log_outputs(network.info.run_id, made)
with mlflow.start_run(run_name="use of network") as use:
    client.log_inputs(use.info.run_id, models=[LoggedModelInput(model.model_id)])

with mlflow.start_run(run_name="broken") as broken:
    client.log_batch(broken.info.run_id, params=[Param("a", "1")])
client.set_terminated(broken.info.run_id, "FAILED")
gone = client.create_run(churn, run_name="gone")
client.delete_run(gone.info.run_id)
client.create_run(churn, run_name="still running", start_time=5)

# A folder of a run with a model file that can run code, and what it takes and answers.
with mlflow.start_run(run_name="tree") as tree:
    signature = {
        "inputs": json.dumps([{"name": "age", "type": "double"}]),
        "outputs": json.dumps([{"name": "left", "type": "long"}]),
    }
    described = {
        "signature": signature,
        "metadata": {"classes": ["no", "yes"], "positive_label": "yes"},
    }
    mlflow.log_dict(described, "my model/MLmodel")
    mlflow.log_text("no real one", "my model/model.onnx")
    Path("extra.pkl").write_bytes(pickle.dumps({"a": 1}))
    mlflow.log_artifact("extra.pkl", "my model")

# Registered models: two of them with two versions and more, a copy, and a prompt.
os.environ["MLFLOW_REGISTRY_URI"] = os.environ["MLFLOW_TRACKING_URI"]
client.create_registered_model("churn", {"team": "retention"}, "Who leaves.")
in_run = f"{tree.info.artifact_uri}/my model"
client.create_model_version(
    "churn", in_run, tree.info.run_id, tags={"checked": "yes"}, description="First."
)
client.create_model_version("churn", in_run, tree.info.run_id)
client.delete_model_version("churn", "2")
client.create_model_version(
    "churn", f"models:/{model.model_id}", model_id=model.model_id
)
client.create_model_version("churn", f"{in_run}/MLmodel", tree.info.run_id)
client.set_registered_model_alias("churn", "champion", "1")
client.set_registered_model_alias("churn", "blue", "3")
client.set_registered_model_alias("churn", "green", "3")
client.transition_model_version_stage("churn", "1", "Production")
client.transition_model_version_stage("churn", "3", "Staging")
client.transition_model_version_stage("churn", "4", "Archived")
client.create_registered_model("a copy")
client.copy_model_version("models:/churn/1", "a copy")
client.create_registered_model('it\'s "odd"')
client.create_model_version(
    'it\'s "odd"', f"models:/{model.model_id}", model_id=model.model_id
)
client.create_registered_model("lost", description="Its files are elsewhere.")
client.create_model_version("lost", "s3://bucket/elsewhere/model")
client.create_registered_model("empty")
mlflow.genai.register_prompt("greeting", "Hello {{name}}")

old = client.create_experiment("Old")
client.create_run(old)
client.delete_experiment(old)


def number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def files(run_id: str, folder: str | None = None) -> dict[str, str]:
    found = {}
    for one in client.list_artifacts(run_id, folder):
        if one.is_dir:
            found |= files(run_id, one.path)
        else:
            local = Path(client.download_artifacts(run_id, one.path))
            found[one.path] = hashlib.sha256(local.read_bytes()).hexdigest()
    return found


def told(run) -> dict:
    info, data = run.info, run.data
    try:
        kept = files(info.run_id) if info.lifecycle_stage == "active" else {}
    except MlflowException:
        kept = {}
    return {
        "experiment": info.experiment_id,
        "name": info.run_name,
        "status": info.status,
        "start": info.start_time,
        "end": info.end_time,
        "deleted": info.lifecycle_stage == "deleted",
        "params": data.params,
        "tags": data.tags,
        "points": sorted(
            [key, one.timestamp, one.step, number(one.value)]
            for key in data.metrics
            for one in client.get_metric_history(info.run_id, key)
        ),
        "latest": {key: number(value) for key, value in data.metrics.items()},
        "inputs": [
            [
                one.dataset.name,
                one.dataset.digest,
                {tag.key: tag.value for tag in one.tags},
            ]
            for one in run.inputs.dataset_inputs
        ],
        "files": kept,
    }


def registered(one) -> dict:
    return {
        "name": one.name,
        "description": one.description or "",
        "tags": one.tags,
        "aliases": one.aliases,
        "versions": [
            {
                "number": int(version.version),
                "run": version.run_id or None,
                "created": version.creation_timestamp,
                "stage": version.current_stage,
                "source": version.source,
                "description": version.description or "",
                "tags": version.tags,
            }
            for version in client.search_model_versions()
            if version.name == one.name
        ],
    }


found = client.search_runs([churn, old, "0"], run_view_type=ViewType.ALL)
Path(sys.argv[1]).write_text(
    json.dumps(
        {
            "runs": {one.info.run_id: told(one) for one in found},
            "model": {"id": model.model_id, "run": network.info.run_id},
            "registered": [
                registered(one) for one in client.search_registered_models()
            ],
        }
    )
)
