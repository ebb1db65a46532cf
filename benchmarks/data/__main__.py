"""Data as it comes in: `python -m benchmarks.data [--rows N] [--repeats N]`.

A CSV of 20 columns is read and described by the engine, copied by DuckDB, which looks
at nothing, and described by pandas; the three take turns, with two threads each.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import HEADER, Result, Run, measure_module, run_module
from engine.spec import IngestSpec

THREADS = 2
SPEC = IngestSpec(original_name="table.csv", format="csv", threads=THREADS)
GOAL_MIB = 1_536.0  # memory does not grow with the file
_RESPECTS = (("", "s"), (": peak memory", "MiB"), (": processor time", "s"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=1)
    asked = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        results = list(measure(Path(folder), asked.rows, asked.repeats))
    print(f"\n{HEADER}", *(result.row() for result in results), sep="\n")
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    print(
        f"\n{os.cpu_count()} cores, load {load}, {time.perf_counter() - started:.0f} s"
    )


def measure(folder: Path, rows: int, repeats: int) -> Iterator[Result]:
    """Let the three take turns; yield what each needed, in every respect."""
    original = _job(folder, rows)
    peers = {
        "a bare DuckDB COPY": ("copy", original, folder / "copy", THREADS),
        "pandas": ("describe", original, folder / "described.json"),
    }
    ours: list[Run] = []
    theirs: dict[str, list[Run]] = {name: [] for name in peers}
    for _ in range(repeats):
        ours.append(measure_module("engine", "ingest", folder, threads=THREADS))
        for name, (module, *given) in peers.items():
            module = f"benchmarks.peers.{module}"
            theirs[name].append(measure_module(module, *given, threads=THREADS))
        print(ours[-1], *(runs[-1] for runs in theirs.values()), sep="\n", flush=True)
    _check_alike(folder, rows)
    title = f"ingest {rows:,} rows × 20 columns of CSV against"
    for place, (what, unit) in enumerate(_RESPECTS):
        mine = [run[place] for run in ours]
        for name, runs in theirs.items():
            peer = [run[place] for run in runs]
            yield Result(f"{title} {name}{what}", unit, mine, peer)
    peaks = [run.peak_mebibytes for run in ours]
    yield Result("peak memory against the goal", "MiB", peaks, [GOAL_MIB] * repeats)


def _job(folder: Path, rows: int) -> Path:
    """Make a job folder around a generated table; return its CSV."""
    (folder / "inputs").mkdir()
    (folder / "spec.json").write_text(json.dumps(SPEC.to_json()))
    original = folder / "inputs" / "original"
    run_module("benchmarks.table", original, "CSV", rows)
    return original


def _check_alike(folder: Path, rows: int) -> None:
    """Check that the engine and pandas found the same in every column."""
    result = json.loads((folder / "result.json").read_text())
    described = json.loads((folder / "described.json").read_text())
    assert result["row_count"] == rows
    for column in result["profile"]["columns"]:
        expected = described[column["name"]]
        assert column["missing"] == expected["missing"], column["name"]
        assert column["distinct"] == expected["distinct"], column["name"]


if __name__ == "__main__":
    main()
