"""A validation report against a plain script: `python -m benchmarks.validation`.

A model learns from a part of the rows; then 1,000,000 rows with six columns of groups
are evaluated by the engine, all families of checks with it, and by
`benchmarks.peers.judge`, which computes the same measures with their intervals, for the
whole and for each group, the way one would write it by hand.
"""

import argparse
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import duckdb

from benchmarks import table
from benchmarks.engine_jobs import TRAIN
from benchmarks.measuring import HEADER, Result, in_turn, run_module
from engine.spec import Cost, EvaluateSpec

ROWS = 1_000_000
LEARNED = 50_000
GROUPS = ("species", "airport", "phase", "operator", "count_group", "reading_group")
RESAMPLES = 1_000
CLOSE = 1e-3  # a score at the threshold may fall on either side


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validation")
    parser.add_argument("--rows", type=int, default=ROWS)
    asked = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as parent:
        results = measure(Path(parent), asked.rows)
    print(f"\n{HEADER}", *(result.row() for result in results), sep="\n")
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    print(
        f"\n{os.cpu_count()} cores, load {load}, {time.perf_counter() - started:.0f} s"
    )


def measure(parent: Path, rows: int) -> list[Result]:
    folder = prepare(parent, rows)
    ours, peer = in_turn(
        partial(run_module, "engine", "evaluate", folder),
        partial(run_module, "benchmarks.peers.judge", folder, *GROUPS),
    )
    check_alike(folder)
    size = (folder / "result.json").stat().st_size
    print(f"The result has {size / 1024**2:.2f} MiB.")
    name = f"evaluate {rows:,} rows, {len(GROUPS)} columns of groups"
    return [
        Result(name, "s", [run[0] for run in ours], [run[0] for run in peer]),
        Result(
            f"{name}: peak memory",
            "MiB",
            [run[1] for run in ours],
            [run[1] for run in peer],
        ),
    ]


def prepare(parent: Path, rows: int) -> Path:
    """Train a model on a few rows, and lay it beside the rows to evaluate."""
    learning, folder = parent / "train", parent / "evaluate"
    for place in (learning, folder):
        (place / "inputs").mkdir(parents=True)
    data = folder / "inputs" / "test.parquet"
    run_module("benchmarks.table", parent / "all.parquet", "PARQUET", rows)
    with duckdb.connect() as database:
        database.execute(
            f"COPY (SELECT *, 'group ' || count_1 // 100 AS count_group, "  # noqa: S608
            f"'group ' || floor(reading_02 / 100) AS reading_group "
            f"FROM '{parent / 'all.parquet'}') TO '{data}' (FORMAT parquet)"
        )
    run_module(
        "benchmarks.table", learning / "inputs" / "data.parquet", "PARQUET", LEARNED
    )
    (learning / "spec.json").write_text(json.dumps(TRAIN.to_json()))
    run_module("engine", "train", learning)
    for name in ("model.skops", "signature.json"):
        (learning / "outputs" / name).rename(folder / "inputs" / name)
    (learning / "inputs" / "data.parquet").rename(folder / "inputs" / "train.parquet")
    spec = EvaluateSpec(
        task="binary",
        target=table.TARGET,
        positive_label="yes",
        subgroup_columns=GROUPS,
        cost=Cost(false_alarm=1, miss=10),
        resamples=RESAMPLES,
        threads=2,
    )
    (folder / "spec.json").write_text(json.dumps(spec.to_json()))
    return folder


def check_alike(folder: Path) -> None:
    """Both must have found the same."""
    ours = json.loads((folder / "result.json").read_text())
    theirs = json.loads((folder / "judged.json").read_text())
    found = {row["measure"]: row["value"] for row in ours["measures"]}
    for slug, value in theirs["measures"].items():
        assert abs(found[slug] - value) < CLOSE, f"{slug}: {found[slug]} and {value}"
    counts = {part["column"]: len(part["groups"]) for part in ours["subgroups"]}
    assert counts.keys() == theirs["groups"].keys()


if __name__ == "__main__":
    main()
