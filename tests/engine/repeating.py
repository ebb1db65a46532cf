"""Train twice, each time in a process of its own, and compare."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from engine.fingerprint import fingerprint
from engine.tables import connect
from tests.engine.jobs import Job, Json


def prepare(folder: Path, data: Path, spec: Json) -> Job:
    """Make a job folder for `train`, with data that is fingerprinted."""
    job = Job(folder)
    shutil.copy(data, job.inputs / "data.parquet")
    (job.path / "spec.json").write_text(json.dumps(spec))
    with connect(data.parent) as database:
        found = fingerprint(database, data, lambda _ratio: None, threads=1)
    (job.inputs / "fingerprint.json").write_text(json.dumps(found))
    return job


def train_apart(job: Job, *, ahead: Path | None = None) -> None:
    """Train in a fresh process, with `ahead` first on its path."""
    root = Path(__file__).parents[2]
    path = os.pathsep.join(str(part) for part in (ahead, root) if part)
    subprocess.run(
        [sys.executable, "-m", "engine", "train", str(job.path)],
        check=True,
        cwd=ahead or root,
        env={**os.environ, "PYTHONPATH": path},
        timeout=300,
    )


def expect(first: Job, second: Job, tolerance: Json | None = None) -> Job:
    """Lay what the first training left beside the second, to be compared."""
    expected = second.path / "expected"
    expected.mkdir(exist_ok=True)
    for name in ("record.json", "predictions.parquet"):
        shutil.copy(first.outputs / name, expected / name)
    if tolerance is not None:
        (expected / "tolerance.json").write_text(json.dumps(tolerance))
    return second


def verify(job: Job) -> Json:
    """Compare the outputs of a job with what is expected of it."""
    return job.succeed("verify", json.loads((job.path / "spec.json").read_text()))
