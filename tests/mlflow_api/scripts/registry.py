"""A data scientist who registers models, with the stock client and nothing else."""

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
mlflow.set_experiment("Registry")
frame = pd.DataFrame({"age": np.arange(20.0), "visits": np.arange(20.0) % 5})
left = (frame["age"] > 9).astype(int)
fitted = LogisticRegression().fit(frame, left)
wanted = list(fitted.predict(frame))

# A model is logged and registered at once; the run goes on, and registers it again.
with mlflow.start_run(run_name="by hand") as run:
    logged = mlflow.sklearn.log_model(
        fitted, name="churn", input_example=frame[:2], registered_model_name="churn"
    )
    mlflow.log_text("later", "notes.txt")
    mlflow.log_metric("auc", 0.9)
again = mlflow.register_model(
    f"runs:/{run.info.run_id}/churn", "churn", tags={"why": "again"}
)
assert again.version == "2"
assert again.tags == {"why": "again"}
assert again.status == "READY"
by_model = mlflow.register_model(logged.model_uri, "churn")
assert by_model.version == "3"

# Names, words and tags.
client.update_registered_model("churn", description="Who leaves.")
client.set_registered_model_tag("churn", "team", "retention")
client.set_registered_model_tag("churn", "odd", "x")
client.delete_registered_model_tag("churn", "odd")
client.update_model_version("churn", "2", description="The second.")
client.set_model_version_tag("churn", "2", "checked", "yes")
client.set_model_version_tag("churn", "2", "odd", "x")
client.delete_model_version_tag("churn", "2", "odd")
model = client.get_registered_model("churn")
assert (model.description, model.tags) == ("Who leaves.", {"team": "retention"})
version = client.get_model_version("churn", "2")
assert (version.description, version.run_id) == ("The second.", run.info.run_id)
assert version.tags == {"why": "again", "checked": "yes"}
with pytest.raises(MlflowException, match="RESOURCE_ALREADY_EXISTS"):
    client.create_registered_model("churn")
with pytest.raises(MlflowException, match="not found"):
    client.get_registered_model("nobody")

# Aliases and stages lead to versions, and to models that can be loaded.
client.set_registered_model_alias("churn", "candidate", "2")
assert client.get_model_version_by_alias("churn", "candidate").version == "2"
assert client.get_registered_model("churn").aliases == {"candidate": "2"}
client.transition_model_version_stage("churn", "3", "staging")
assert client.get_model_version("churn", "3").current_stage == "Staging"
client.transition_model_version_stage(
    "churn", "1", "Staging", archive_existing_versions=True
)
assert client.get_model_version("churn", "3").current_stage == "Archived"
newest = client.get_latest_versions("churn", ["Staging"])
assert [one.version for one in newest] == ["1"]
for address in (
    "models:/churn@candidate",
    "models:/churn/2",
    "models:/churn/latest",
    "models:/churn/Staging",
):
    loaded = mlflow.pyfunc.load_model(address)
    assert list(loaded.predict(frame)) == wanted, address
assert list(mlflow.sklearn.load_model("models:/churn/1").predict(frame)) == wanted

# What governance forbids is refused with a sentence and the way.
with pytest.raises(MlflowException, match=r"PERMISSION_DENIED.*http://") as refused:
    client.set_registered_model_alias("churn", "champion", "2")
assert "/models/churn/versions/2/" in str(refused.value)
with pytest.raises(MlflowException, match=r"PERMISSION_DENIED.*http://"):
    client.transition_model_version_stage("churn", "2", "Production")
with pytest.raises(MlflowException, match="reserved"):
    client.set_registered_model_alias("churn", "v2", "2")
with pytest.raises(MlflowException, match="not found"):
    client.get_model_version_by_alias("churn", "nobody")
with pytest.raises(MlflowException, match="source"):
    client.create_model_version("churn", "/etc/passwd")
with pytest.raises(MlflowException, match="PERMISSION_DENIED"):
    client.delete_run(run.info.run_id)

# Searches.
assert [one.name for one in client.search_registered_models()] == ["churn"]
tagged = client.search_registered_models("tags.team = 'retention' AND name LIKE 'ch%'")
assert [one.name for one in tagged] == ["churn"]
assert not client.search_registered_models("name = 'x'")
found = client.search_model_versions("name = 'churn'", order_by=["version_number ASC"])
assert [one.version for one in found] == ["1", "2", "3"]
newest = {"max_results": 2, "order_by": ["version_number DESC"]}
of_run = client.search_model_versions(f"run_id = '{run.info.run_id}'", **newest)
assert [one.version for one in of_run] == ["3", "2"]
assert of_run.token
rest = client.search_model_versions(
    f"run_id = '{run.info.run_id}'", page_token=of_run.token, **newest
)
assert [one.version for one in rest] == ["1"]
with pytest.raises(MlflowException, match="INVALID_PARAMETER_VALUE"):
    client.search_registered_models("poem = 'roses'")

# Copies, a new name, and numbers that are never given twice.
copied = client.copy_model_version("models:/churn/2", "churn-copy")
assert copied.version == "1"
assert list(mlflow.pyfunc.load_model("models:/churn-copy/1").predict(frame)) == wanted
client.rename_registered_model("churn-copy", "Churn, copied")
assert client.get_model_version("Churn, copied", "1").source == "models:/churn/2"
client.delete_model_version("churn", "3")
with pytest.raises(MlflowException, match="not found"):
    client.get_model_version("churn", "3")
assert mlflow.register_model(logged.model_uri, "churn").version == "4"
client.delete_registered_model_alias("churn", "candidate")
client.delete_registered_model("Churn, copied")
client.create_registered_model("Churn, copied")
assert not client.search_model_versions("name = 'Churn, copied'")

# Pickles are kept, and the version says so; the portal never loads them.
with mlflow.start_run(run_name="pickled"):
    pickled = mlflow.sklearn.log_model(
        fitted, name="pickled", serialization_format="pickle"
    )
risky = mlflow.register_model(pickled.model_uri, "risky")
assert "quarantined" in risky.status_message
assert "sklearn" in risky.status_message
assert list(mlflow.pyfunc.load_model("models:/risky/1").predict(frame)) == wanted
Path("run.txt").write_text(run.info.run_id)
