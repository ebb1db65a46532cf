"""Every run keeps what is needed to do it again and to say whether it is the same."""

import hashlib
import json
from pathlib import Path

import duckdb
import pytest

from engine.environment import environment, lock
from engine.record import code
from tests.engine.jobs import Job, Json
from tests.engine.tables import put_table, strikes, train_spec

STEPS = ["data", "split", "preparation", "search", "model", "predictions"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = Job(tmp_path_factory.mktemp("record") / "job")
    put_table(job.inputs / "data.parquet", strikes())
    (job.inputs / "fingerprint.json").write_text('{"digest": "abc"}')
    job.succeed("train", train_spec(seed=3))
    return job


def record_of(job: Job) -> Json:
    record: Json = json.loads((job.outputs / "record.json").read_text())
    return record


def test_record_says_what_went_in_and_what_came_out(trained: Job) -> None:
    record = record_of(trained)

    data = (trained.inputs / "data.parquet").read_bytes()
    assert record["inputs"] == {"data.parquet": hashlib.sha256(data).hexdigest()}
    assert record["fingerprint"] == {"digest": "abc"}
    assert record["seeds"] == {"seed": 3}
    assert record["spec"]["test_ratio"] == 0.2
    model = (trained.outputs / "model.skops").read_bytes()
    assert record["outputs"]["model.skops"] == hashlib.sha256(model).hexdigest()
    assert "record.json" not in record["outputs"]


def test_record_lists_the_steps_in_their_order(trained: Job) -> None:
    steps = {step["step"]: step["digest"] for step in record_of(trained)["steps"]}

    assert list(steps) == STEPS
    result = json.loads((trained.path / "result.json").read_text())
    assert result["steps"] == record_of(trained)["steps"]
    assert steps["split"] == result["split_digest"]
    assert steps["model"] == record_of(trained)["outputs"]["model.skops"]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_predictions_are_kept_for_every_test_row(tmp_path: Path, task: str) -> None:
    target = {"binary": "damaged", "multiclass": "kind", "regression": "repair"}[task]
    job = Job(tmp_path / "job")
    put_table(job.inputs / "data.parquet", strikes())
    job.succeed(
        "train",
        train_spec(
            task=task,
            target=target,
            positive_label="yes" if task == "binary" else None,
            cost=None,
            estimator="dummy",
        ),
    )

    path = job.outputs / "predictions.parquet"
    frame = duckdb.connect().execute(f"FROM read_parquet('{path}')").df()

    scores = {
        "binary": ["probability"],
        "multiclass": ["probability_1", "probability_2", "probability_3"],
        "regression": [],
    }
    assert list(frame) == ["row", "prediction", *scores[task]]
    assert len(frame) == 60
    if task == "binary":
        assert set(frame["prediction"]) <= {"yes", "no"}
        assert ((frame["probability"] >= 0.5) == (frame["prediction"] == "yes")).all()
    if task == "multiclass":
        assert set(frame["prediction"]) <= {"0", "1", "2"}


def test_code_digest_knows_files_and_not_line_ends(tmp_path: Path) -> None:
    source = tmp_path / "engine"
    source.mkdir()
    (source / "a.py").write_bytes(b"x = 1\n")
    first = code(source)

    (source / "a.py").write_bytes(b"x = 1\r\n")
    assert code(source) == first
    (source / "a.py").write_bytes(b"x = 2\n")
    assert code(source)["digest"] != first["digest"]
    assert "train.py" in code()["files"]


def test_lock_has_every_distribution_once() -> None:
    found = {package["name"]: package for package in lock()}

    assert list(found) == sorted(found)
    assert found["scikit-learn"]["version"]
    assert len(found["scikit-learn"]["digest"]) == 64
    assert len(found) == len(lock())


def test_environment_has_neither_times_nor_paths() -> None:
    found = environment(1)

    assert found == environment(1)
    assert found["cpu"]["count"] >= 1
    assert str(Path(__file__).parents[2]) not in json.dumps(found)
    assert [library["file"] for library in found["libraries"]]
