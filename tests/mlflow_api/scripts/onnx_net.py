"""A data scientist who logs an ONNX model and the rows kept for judging it."""

import mlflow
import onnx
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

client = mlflow.MlflowClient()
mlflow.set_experiment("Strikes")
signature = ModelSignature(
    inputs=Schema([ColSpec("double", "speed"), ColSpec("string", "size")]),
    outputs=Schema([ColSpec("string", "damaged")]),
)
with mlflow.start_run(run_name="network"):
    mlflow.log_artifact("test.parquet", artifact_path="held_out")
    logged = mlflow.onnx.log_model(
        onnx.load("strikes.onnx"),
        name="network",
        signature=signature,
        metadata={"classes": ["no", "yes"], "positive_label": "yes"},
    )
version = mlflow.register_model(logged.model_uri, "strikes")
assert version.status == "READY", version.status_message
assert client.get_model_version("strikes", version.version).source
