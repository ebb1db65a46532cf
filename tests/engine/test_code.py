"""Running and looking at people's own code, without a sandbox around it."""

import sys
import zipfile
from pathlib import Path

import pytest

from engine import check_code, run_code
from engine.folder import EngineError
from tests.engine.jobs import Job

MAIN = """
def main(context):
    context.progress(0.5, "Half")
    context.log("hello")
    context.metric("loss", 0.5, step=1)
    (context.output / "a").mkdir()
    (context.output / "a" / "note.txt").write_text(str(context.parameters["depth"]))
    return {"accuracy": 0.9, "seed": context.seed}
"""
SPEC = {"entry": "own_train:main", "parameters": {"depth": 3}, "seed": 7}


@pytest.fixture(autouse=True)
def fresh_imports(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    sys.modules.pop("own_train", None)


def put(job: Job, text: str = MAIN, name: str = "own_train.py") -> None:
    (job.inputs / "data.parquet").touch()
    with zipfile.ZipFile(job.inputs / "project.zip", "w") as archive:
        archive.mkdir("lib")
        archive.writestr(name, text)


def test_run_code_gives_figures_and_curves(job):
    put(job)

    result = job.succeed("run_code", SPEC)

    assert result["metrics"] == {"accuracy": 0.9, "loss": 0.5, "seed": 7.0}
    assert result["metric_history"] == [{"key": "loss", "step": 1, "value": 0.5}]
    assert {"metric": "loss", "step": 1, "value": 0.5} in job.progress()
    assert (job.outputs / "a" / "note.txt").read_text() == "3"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("    raise KeyError('x')", "failed in own_train.py, line 2: KeyError: 'x'."),
        ("    raise SystemExit", "line 2: SystemExit"),
        ("    return 7", "must return figures by name"),
        ("    return {'a': 'b'}", "must return figures by name"),
        ("    return {'a': float('inf')}", "is no number"),
        ("    context.metric('a', float('nan'))", "not finite"),
    ],
)
def test_run_code_says_what_went_wrong(job, lines, sentence):
    put(job, f"def main(context):\n{lines}\n")

    assert sentence.rstrip(".") in job.refuse("run_code", SPEC)["message"]


def test_run_code_passes_on_that_memory_ran_out(job):
    put(job, "def main(context):\n    raise MemoryError\n")

    assert job.run("run_code", SPEC)["code"] == "out_of_memory"


def test_run_code_without_figures_is_fine(job):
    put(job, "def main(context): pass\n")

    assert job.succeed("run_code", SPEC)["metrics"] == {}


def test_run_code_refuses_other_packages(job):
    put(job)
    wanted = {"requirements": {"numpy": "0.1", "no-such-package": "1"}}

    result = job.refuse("run_code", {**SPEC, **wanted})

    assert "needs numpy 0.1" in result["message"]
    assert result["details"][1]["installed"] is None


@pytest.mark.parametrize("name", ["../own.py", "/own.py"])
def test_unpack_stays_in_its_folder(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(name, "x")

    with pytest.raises(EngineError, match="does not belong"):
        run_code.unpack(tmp_path / "x.zip", tmp_path / "place")


@pytest.mark.parametrize("entry", ["train", "train:main()", "a b:c", ":main", "é:a"])
def test_entry_names_a_function(job, entry):
    put(job)

    assert "entry" in job.refuse("run_code", {**SPEC, "entry": entry})["message"]


def test_check_code_lists_files_of_any_kind(job):
    (job.path / "outputs" / "a").mkdir(parents=True)
    (job.outputs / "a" / "x.csv").write_text("a\n")
    (job.outputs / "y.unknown").write_text("b")

    result = job.succeed("check_code", {})

    assert [file["path"] for file in result["files"]] == [
        "outputs/a/x.csv",
        "outputs/y.unknown",
    ]
    assert result["files"][0]["media_type"] == "text/csv"
    assert result["signature"] is None
    assert "no model.skops" in result["note"]


def test_check_code_needs_a_signature_and_reviewed_types(job):
    job.outputs.mkdir()
    (job.outputs / "model.skops").write_text("x")
    without = job.succeed("check_code", {})["note"]
    (job.outputs / "signature.json").write_text("{}")

    assert "no signature.json" in without
    assert "cannot be registered" in job.succeed("check_code", {})["note"]


def test_check_code_refuses_too_many_files(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(check_code, "MOST_FILES", 1)
    for name in "ab":
        (tmp_path / name).touch()

    with pytest.raises(EngineError, match="keep up to 1"):
        check_code.files(tmp_path)
