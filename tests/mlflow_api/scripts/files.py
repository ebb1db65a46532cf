"""Files of every kind of size, sent by the stock client and taken back."""

import os
from hashlib import sha256
from pathlib import Path

import mlflow
import pytest
from requests import HTTPError

MEBIBYTE = 1024 * 1024

empty, large = Path("__init__.py"), Path("large model.bin")
empty.touch()
large.write_bytes(os.urandom(5 * MEBIBYTE + 17))

mlflow.set_experiment("Files")
with mlflow.start_run() as run:
    mlflow.log_artifact(str(empty), "package")
    mlflow.log_artifact(str(large), "model")
    mlflow.log_artifact(str(large))  # the same content a second time
    mlflow.log_text("small", "notes.txt")
    with pytest.raises(HTTPError, match="a part of its path is a file"):
        mlflow.log_artifact(str(large), "notes.txt")

folder = mlflow.artifacts.download_artifacts(run_id=run.info.run_id)
assert Path(folder, "package", "__init__.py").read_bytes() == b""
for path in ("model/large model.bin", "large model.bin"):
    came = Path(folder, path).read_bytes()
    assert sha256(came).digest() == sha256(large.read_bytes()).digest()
Path("run.txt").write_text(run.info.run_id)
