"""The engine as a program: usage, limits, and what happens when it is killed."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import __main__ as engine
from engine import limits, tables
from engine.folder import EngineError, Folder
from engine.spec import Limits
from tests.engine.jobs import Job, Json
from tests.engine.tables import put_table, strikes, train_spec

CSV = {"original_name": "table.csv", "format": "csv"}
GIBIBYTE = 1024**3


def start(job: Job, verb: str, spec: Json) -> subprocess.Popen[str]:
    (job.path / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-m", "engine", verb, str(job.path)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def result_of(job: Job) -> Json:
    result: Json = json.loads((job.path / "result.json").read_text())
    return result


@pytest.mark.parametrize("arguments", [[], ["ingest"], ["guess", "."], ["ingest", "."]])
def test_wrong_usage_is_explained(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert engine.main(arguments) == 2
    assert "usage: python -m engine {ingest|train|evaluate" in capsys.readouterr().err


def test_a_job_runs_as_a_program(job: Job) -> None:
    (job.inputs / "original").write_text("a\n1\n")

    process = start(job, "ingest", CSV | {"limits": {"cpu_seconds": 60}})

    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == 0
    assert result_of(job)["row_count"] == 1
    assert not (job.path / "scratch").exists()
    assert not (job.path / "result.json.tmp").exists()


def test_a_spec_that_is_not_json_is_refused(job: Job) -> None:
    (job.path / "spec.json").write_text("{")

    assert engine.main(["ingest", str(job.path)]) == 1
    assert "spec.json is not JSON" in result_of(job)["message"]


def test_a_wrong_spec_names_its_field(job: Job) -> None:
    message = job.refuse("ingest", CSV | {"format": "xlsx"})["message"]

    assert message.startswith("The spec is wrong: format: must be one of 'csv', 'tsv'")


def test_a_defect_is_reported_with_its_traceback(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.readers.raw_bytes.CHUNK_BYTES", "not a number")
    (job.inputs / "original").write_text("a\n1\n")
    (job.path / "spec.json").write_text(json.dumps(CSV))

    assert engine.main(["ingest", str(job.path)]) == 3
    assert result_of(job)["code"] == "internal"
    assert "Traceback" in capsys.readouterr().err


def caused_by_memory() -> Exception:
    error = SystemError("a native library gave up")
    error.__cause__ = MemoryError()
    return error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (MemoryError(), "out_of_memory", "limit of 2.0 GiB"),
        (caused_by_memory(), "out_of_memory", "limit of 2.0 GiB"),
        (OSError(errno.EFBIG, "too large"), "bad_input", "larger than a file may be"),
        (OSError(errno.ENOSPC, "full"), "internal", "disk of the worker is full"),
    ],
)
def test_failures_are_worded_for_people(
    error: Exception, code: str, words: str
) -> None:
    result, exit_code = engine._failure(error, Limits(memory_bytes=2 * GIBIBYTE))

    assert exit_code == 1
    assert result["code"] == code
    assert words in result["message"]
    assert "than there is;" in engine._memory_message(Limits())


def wide_table(job: Job) -> Json:
    """Return a spec whose one-hot columns, none left out, need about a gibibyte."""
    frame = strikes(200_000)
    for number in range(16):
        frame[f"c{number}"] = np.roll(frame["state"].to_numpy(), number)
    put_table(job.inputs / "data.parquet", frame)
    features = [{"name": f"c{number}", "kind": "category"} for number in range(16)]
    return train_spec(features=features, estimator="naive_bayes")


def test_memory_above_the_limit_ends_the_job(job: Job) -> None:
    spec = wide_table(job) | {"limits": {"memory_bytes": 700 * 1024**2}}

    process = start(job, "train", spec)

    process.communicate(timeout=60)
    assert process.returncode == 1
    assert result_of(job)["code"] == "out_of_memory"
    assert "limit of 0.7 GiB" in result_of(job)["message"]


def test_processor_time_above_the_limit_ends_the_job(job: Job) -> None:
    put_table(job.inputs / "data.parquet", strikes(5_000))
    spec = train_spec(
        estimator="random_forest",
        search={"trials": 50, "folds": 5},
        limits={"cpu_seconds": 3},
    )

    process = start(job, "train", spec)

    process.communicate(timeout=60)
    assert process.returncode == 1
    assert result_of(job)["code"] == "timeout"
    assert "3 seconds of processor time" in result_of(job)["message"]


def test_the_job_dies_with_its_parent(job: Job) -> None:
    put_table(job.inputs / "data.parquet", strikes(5_000))
    spec = train_spec(estimator="random_forest", search={"trials": 50, "folds": 5})
    (job.path / "spec.json").write_text(json.dumps(spec))
    code = (
        "import subprocess, sys; job = subprocess.Popen(sys.argv[1:]);"
        "print(job.pid, flush=True); job.wait()"
    )
    engine_command = [sys.executable, "-m", "engine", "train", str(job.path)]
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *engine_command], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_for((job.path / "progress.jsonl").exists)

    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()

    wait_for(lambda: not is_running(child))
    assert not (job.path / "result.json").exists()


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(process_id: int) -> bool:
    """Say whether a process lives; one that waits to be reaped does not."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def test_limits_are_put_on_the_process() -> None:
    code = (
        "import resource; from engine.limits import apply;"
        "from engine.spec import Limits;"
        "apply(Limits(memory_bytes=2**31, cpu_seconds=9, file_bytes=2**20));"
        "apply(Limits(file_bytes=2**25));"
        "print(*resource.getrlimit(resource.RLIMIT_DATA),"
        "*resource.getrlimit(resource.RLIMIT_CPU),"
        "*resource.getrlimit(resource.RLIMIT_FSIZE))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert printed.split() == [str(2**31)] * 2 + ["9", "14"] + [str(2**20)] * 2


def test_out_of_time_says_how_long() -> None:
    with pytest.raises(EngineError, match="3 seconds of processor time") as failure:
        limits._stop(3, signal.SIGXCPU, None)

    assert failure.value.code == "timeout"


def test_nothing_dies_with_a_parent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.sys, "platform", "darwin")
    monkeypatch.setattr(limits.ctypes, "CDLL", None)

    limits.die_with_parent()


def test_a_query_that_does_not_fit_is_a_lack_of_memory(tmp_path: Path) -> None:
    with pytest.raises(MemoryError), tables.connect(tmp_path) as database:
        database.execute("SELECT string_agg(range::TEXT, ' ') FROM range(200000000)")


def test_results_hold_no_nan(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    folder.write_json("deep/result.json", {"a": [float("nan"), (1.5, float("inf"))]})

    assert json.loads((tmp_path / "deep/result.json").read_text()) == {
        "a": [None, [1.5, None]]
    }


def test_progress_never_goes_back(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    for ratio in (0.5, 0.2, 1.7):
        folder.progress(ratio, "Working")

    lines = (tmp_path / "progress.jsonl").read_text().splitlines()
    assert [json.loads(line)["ratio"] for line in lines] == [0.5, 0.5, 1.0]


@pytest.mark.parametrize(("seconds", "code"), [(1, "timeout"), (10**6, "internal")])
def test_what_a_library_makes_of_the_end_of_time_is_the_end_of_time(
    seconds: int, code: str
) -> None:
    while time.process_time() < 1:
        pass

    result, _ = engine._failure(ImportError("numpy"), Limits(cpu_seconds=seconds))

    assert result["code"] == code
