"""A Dask cluster of two worker processes on this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import crew
from tests.engine.jobs import Json

# Dask looks for copies of data to remove between any two trials, as it would in a
# search that takes minutes.
TIDYING = {"DASK_DISTRIBUTED__SCHEDULER__ACTIVE_MEMORY_MANAGER__INTERVAL": "10ms"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two worker processes, started as the guide says."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("cluster")
    environment = (
        os.environ
        | TIDYING
        | {
            "PYTHONPATH": str(Path(crew.__file__).parents[1]),
            "DASK_TEMPORARY_DIRECTORY": str(folder),
        }
    )
    with (folder / "log").open("w") as log:
        processes = [
            subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            for command in _commands(folder / "scheduler.json")
        ]
    try:
        _wait(folder / "log", "Registered to:", times=2)
        yield str(json.loads((folder / "scheduler.json").read_text())["address"])
    finally:
        for process in processes:
            process.terminate()
            process.wait(timeout=20)


def names_and_processes(trials: list[Json]) -> tuple[set[str], set[int]]:
    """Return the workers that scored some trials, and their processes."""
    workers = {worker for trial in trials for worker in trial["workers"]}
    words = [worker.removesuffix(")").split(" (process ") for worker in workers]
    return {name for name, _ in words}, {int(process) for _, process in words}


def _commands(found: Path) -> list[list[str]]:
    python = [sys.executable, "-m"]
    plain = ["--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", str(found)]
    one = ["--nworkers", "1", "--nthreads", "1", "--preload", "engine.crew"]
    return [
        [*python, "distributed.cli.dask_scheduler", *plain, "--port", "0"],
        *(
            [*python, "distributed.cli.dask_worker", *plain, *one, "--name", name]
            for name in ("first", "second")
        ),
    ]


def _wait(log: Path, words: str, times: int) -> None:
    deadline = time.monotonic() + 60
    while log.read_text().count(words) < times:
        if time.monotonic() > deadline:
            raise TimeoutError(log.read_text())
        time.sleep(0.1)
