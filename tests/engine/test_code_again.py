"""A project that is run again is identical, within tolerance or different, and why."""

import hashlib
import json
import shutil
import sys
import zipfile
from pathlib import Path

import duckdb
import pytest

from tests.engine.jobs import Job, Json

SPEC: Json = {"entry": "again_train:main", "parameters": {"depth": 3}, "seed": 7}
MAIN = """
import random

def main(context):
    random.seed(context.seed)
    (context.output / "model.onnx").write_text(str(random.random()))
    (context.output / "notes").mkdir()
    (context.output / "notes" / "plot.txt").write_text("drawn")
    return {"accuracy": random.random()}
"""
BY_CHANCE = MAIN.replace("random.seed(context.seed)", "random.seed()")
UNSEEN = MAIN.replace('"drawn"', "str(random.SystemRandom().random())")
FIGURES = "def main(context):\n    return {'accuracy': 0.5}\n"
ANSWERS = """
import duckdb

def main(context):
    path = context.output / "predictions.parquet"
    shift = context.parameters["shift"]
    answers = duckdb.sql(f"SELECT 0 AS row, CAST({shift} AS DOUBLE) AS prediction")
    answers.write_parquet(str(path))
"""


@pytest.fixture(autouse=True)
def fresh_imports(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def ran(folder: Path, text: str = MAIN, rows: int = 9, **changes) -> Job:
    """Run a project as a worker does: the code, and then a look at what it left."""
    job, spec = Job(folder), {**SPEC, **changes}
    with duckdb.connect() as database:
        table = database.sql("SELECT * FROM range($n) AS r(i)", params={"n": rows})
        table.write_parquet(str(job.inputs / "data.parquet"))
    with zipfile.ZipFile(job.inputs / "project.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("again_train.py"), text)
    sys.modules.pop("again_train", None)
    given = job.succeed("run_code", spec)
    inputs = {path.name: digest(path) for path in job.inputs.iterdir()}
    asked = {"asked": spec, "inputs": inputs, "metrics": given["metrics"]}
    job.succeed("check_code", asked)
    return job


def compared(first: Job, second: Job, tolerance: Json | None = None) -> Json:
    """Compare as a worker does: in a folder without the inputs."""
    expected = second.path / "expected"
    expected.mkdir()
    for name in ("record.json", "predictions.parquet"):
        if (first.outputs / name).is_file():
            shutil.copy(first.outputs / name, expected / name)
    if tolerance:
        (expected / "tolerance.json").write_text(json.dumps(tolerance))
    record = json.loads((second.outputs / "record.json").read_text())
    return second.succeed("verify_code", record["spec"])


def again(tmp_path: Path, text: str = MAIN, **changes) -> Json:
    return compared(ran(tmp_path / "1", text), ran(tmp_path / "2", text, **changes))


def kinds(result: Json) -> list[str]:
    return [cause["kind"] for cause in result["causes"]]


def test_the_record_says_all_that_a_repetition_needs(tmp_path):
    job = ran(tmp_path)
    record = json.loads((job.outputs / "record.json").read_text())

    assert record["verb"] == "run_code"
    assert record["spec"]["entry"] == "again_train:main"
    assert record["inputs"]["project.zip"] == digest(job.inputs / "project.zip")
    assert record["outputs"]["notes/plot.txt"] == hashlib.sha256(b"drawn").hexdigest()
    assert record["environment"]["packages"]["numpy"]
    steps = [step["step"] for step in record["steps"]]
    assert steps == ["data", "project", "model.onnx", "notes/plot.txt", "figures"]


def test_the_same_is_identical(tmp_path):
    result = again(tmp_path)
    assert result["verdict"] == "identical"
    assert result["sentence"] == "Identical: model.onnx is equal byte for byte."


def test_a_file_beside_the_model_may_differ(tmp_path):
    result = again(tmp_path, UNSEEN)
    assert (result["verdict"], result["first_step"]) == ("identical", "notes/plot.txt")


def test_chance_is_found_in_the_file_where_it_works(tmp_path):
    result = again(tmp_path, BY_CHANCE)
    assert (result["verdict"], kinds(result)) == ("different", ["nondeterminism"])
    assert "chance is at work in model.onnx" in result["sentence"]


def test_another_seed_is_named(tmp_path):
    result = again(tmp_path, seed=8)
    assert (result["verdict"], kinds(result)) == ("different", ["seed"])


def test_other_code_is_named(tmp_path):
    first = ran(tmp_path / "1")
    other = ran(tmp_path / "2", MAIN.replace("random.random()", "1", 1))
    result = compared(first, other)
    assert (result["verdict"], kinds(result)) == ("different", ["code"])
    assert "the code of the project changed" in result["sentence"]


def test_other_data_is_named(tmp_path):
    by_rows = MAIN.replace("random.seed(context.seed)", "random.seed(SIZE)")
    by_rows = by_rows.replace("SIZE", "context.data.read_bytes()")
    result = again(tmp_path, by_rows, rows=10)
    assert (result["verdict"], kinds(result)) == ("different", ["data"])


def test_figures_alone_decide_where_there_are_no_files(tmp_path):
    result = again(tmp_path, FIGURES)
    assert result["verdict"] == "identical"
    assert "every figure is the same" in result["sentence"]


def test_other_figures_alone_are_different(tmp_path):
    first = ran(tmp_path / "1", FIGURES)
    result = compared(first, ran(tmp_path / "2", FIGURES.replace("0.5", "0.6")))
    assert result["verdict"] == "different"


def test_predictions_can_be_within_tolerance(tmp_path):
    first = ran(tmp_path / "1", ANSWERS, parameters={"shift": 0.0})
    close = ran(tmp_path / "2", ANSWERS, parameters={"shift": 0.001})
    result = compared(first, close, {"predictions": 0.01, "metrics": 0.0})
    assert result["verdict"] == "within_tolerance"


def test_predictions_of_another_form_are_only_compared_by_digest(tmp_path):
    other = ANSWERS.replace("AS row", "AS place")
    first = ran(tmp_path / "1", other, parameters={"shift": 0.0})
    result = compared(first, ran(tmp_path / "2", other, parameters={"shift": 1.0}))
    assert (result["verdict"], result["predictions"]) == ("different", None)


@pytest.mark.parametrize("name", ["record.json", "engine.zip"])
@pytest.mark.parametrize("is_link", [False, True])
def test_the_names_of_the_record_are_taken(tmp_path, name, is_link):
    job = ran(tmp_path)
    (job.outputs / "record.json").unlink()
    (job.outputs / "engine.zip").unlink()
    if is_link:
        (job.outputs / name).symlink_to("../elsewhere")
    else:
        (job.outputs / name).touch()
    asked = {"asked": SPEC, "inputs": {}, "metrics": {}}
    message = job.refuse("check_code", asked)["message"]
    assert f"left {name}" in message
    assert not (job.path / "elsewhere").exists()


def test_outside_the_portal_two_verbs_are_enough(tmp_path):
    first = ran(tmp_path / "1")
    elsewhere = Job(tmp_path / "2")
    for path in first.inputs.iterdir():
        shutil.copy(path, elsewhere.inputs)
    (elsewhere.path / "expected").mkdir()
    shutil.copy(first.outputs / "record.json", elsewhere.path / "expected")
    sys.modules.pop("again_train", None)

    elsewhere.succeed("run_code", SPEC)

    assert elsewhere.succeed("verify_code", SPEC)["verdict"] == "identical"


def test_without_a_run_there_is_nothing_to_compare(tmp_path):
    first = ran(tmp_path / "1")
    elsewhere = Job(tmp_path / "2")
    (elsewhere.path / "expected").mkdir()
    shutil.copy(first.outputs / "record.json", elsewhere.path / "expected")
    for path in first.inputs.iterdir():
        shutil.copy(path, elsewhere.inputs)
    message = elsewhere.refuse("verify_code", SPEC)["message"]
    assert "run the verb run_code" in message
    (elsewhere.path / "result.json").write_text("{}")
    assert "no figures" in elsewhere.refuse("verify_code", SPEC)["message"]
