"""What a second worker and a sample bring: `python -m benchmarks.training.scaling`.

The same search alone, on a cluster of one worker and on one of two; and the same
sample drawn from a table and from one four times as long. All on this machine.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.engine_jobs import TRAIN
from benchmarks.measuring import ROOT, run_module
from dev.server import HOST, free_port
from engine.spec import Search, TrainSpec, complete_parameters

SEARCHED_ROWS, SAMPLE, FEW, MANY = 20_000, 100_000, 1_000_000, 4_000_000
ALONE = "alone"
SEARCH = replace(
    TRAIN,
    estimator="random_forest",
    parameters=complete_parameters("random_forest", {"n_estimators": 50}),
    search=Search(trials=12, folds=2, values={"max_depth": [4, 8, 12, 16]}),
)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        job = _job(folder / "search", SEARCH, SEARCHED_ROWS)
        print(f"search {ALONE}: {run_module('engine', 'train', job)[0]:.1f} s")
        for workers in (1, 2):
            with _cluster(folder, workers):
                seconds, _ = run_module("engine", "train", job)
            print(f"search on {workers} of a cluster: {seconds:.1f} s, {_shares(job)}")
        for rows in (FEW, MANY):
            job = _job(folder / str(rows), replace(TRAIN, max_rows=SAMPLE), rows)
            seconds, peak = run_module("engine", "train", job)
            print(f"{SAMPLE:,} of {rows:,} rows: {seconds:.1f} s, peak {peak:.0f} MiB")


def _job(folder: Path, spec: TrainSpec, rows: int) -> Path:
    (folder / "inputs").mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(spec.to_json()))
    data = folder / "inputs" / "data.parquet"
    run_module("benchmarks.table", data, "PARQUET", rows)
    return folder


def _shares(job: Path) -> str:
    trials = json.loads((job / "result.json").read_text())["search"]["trials"]
    folds = [worker for trial in trials for worker in trial["workers"]]
    counts = sorted(folds.count(worker) for worker in set(folds))
    return f"folds per worker: {', '.join(map(str, counts))}"


@contextmanager
def _cluster(folder: Path, workers: int) -> Iterator[None]:
    """Start a scheduler and workers, which the engine finds in the environment."""
    address = f"tcp://{HOST}:{free_port()}"
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DASK_TEMPORARY_DIRECTORY": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    plain = ["--host", HOST, "--no-dashboard"]
    start = ["dask_scheduler", *plain, "--port", address.rpartition(":")[2]]
    worker = ["dask_worker", address, *plain, "--nworkers", "1", "--nthreads", "1"]
    worker += ["--preload", "engine.crew"]
    with (folder / "cluster.log").open("w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{command}", *words],
                env=environment,
                stdout=log,
                stderr=log,
            )
            for command, *words in [start, *([worker] * workers)]
        ]
    try:
        _wait(address, workers)
        os.environ["ENGINE_DASK_ADDRESS"] = address
        yield
    finally:
        os.environ.pop("ENGINE_DASK_ADDRESS", None)
        for process in processes:
            process.terminate()
            process.wait()


def _wait(address: str, workers: int) -> None:
    program = (
        "import sys, distributed\n"
        "with distributed.Client(sys.argv[1], timeout=60) as client:\n"
        "    client.wait_for_workers(int(sys.argv[2]), timeout=60)\n"
    )
    command = [sys.executable, "-c", program, address, str(workers)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
