"""A validation report against a plain script: `python -m benchmarks.validation`.

A model learns from a part of the rows; then 1,000,000 rows with six columns of groups
are evaluated by the engine, all families of checks with it, and by
`benchmarks.peers.judge`, which computes the same measures with their intervals, for the
whole and for each group, the way one would write it by hand. Written so, each resample
of the rows takes long, and the peer draws far fewer than the engine unless told
otherwise; what it says of itself is printed. The run fails when the two disagree.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks import table
from benchmarks.engine_jobs import TRAIN
from benchmarks.measuring import HEADER, Result, Run, measure_module, run_module
from engine.intervals import MOST_ROW_RESAMPLES
from engine.spec import Cost, EvaluateSpec

ROWS = 1_000_000
LEARNED = 50_000
GROUPS = ("species", "airport", "phase", "operator", "count_group", "reading_group")
RESAMPLES = 1_000
PEER_ROW_RESAMPLES = 20
CLOSE = 1e-3
ASTRAY = 3  # rows of a group whose score at the threshold falls on the other side
MOST_SECONDS, MOST_MEBIBYTES = 60, 2048  # the goal, for two cores
THREADS = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validation")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--peer-row-resamples", type=int, default=PEER_ROW_RESAMPLES)
    asked = parser.parse_args()
    started, load = time.perf_counter(), _load()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as parent:
        results = measure(
            Path(parent), asked.rows, asked.repeats, asked.peer_row_resamples
        )
    print(f"\n{HEADER}", *(result.row() for result in results), sep="\n")
    print(
        f"\n{os.cpu_count()} cores, {asked.repeats} repeats, load {load} at the start "
        f"and {_load()} at the end, {time.perf_counter() - started:.0f} s"
    )


def measure(
    parent: Path, rows: int, repeats: int, peer_row_resamples: int
) -> list[Result]:
    folder = prepare(parent, rows)
    ours, peer, beside = [], [], []
    for _ in range(repeats):
        ours.append(_engine(folder))
        peer.append(
            measure_module(
                "benchmarks.peers.judge",
                folder,
                peer_row_resamples,
                *GROUPS,
                threads=THREADS,
            )
        )
        check_alike(folder)
        beside.append(_engine(with_champion(folder)))
    size = (folder / "result.json").stat().st_size
    print(f"The result has {size / 1024**2:.2f} MiB.")
    each = json.loads((folder / "judged.json").read_text())["seconds_each"]
    print(
        f"The peer drew rows {peer_row_resamples} times, the engine "
        f"{MOST_ROW_RESAMPLES} times. One draw took the peer {each:.2f} s, so that as "
        f"many as the engine's would take it about {each * MOST_ROW_RESAMPLES:.0f} s "
        "more (extrapolated, not measured)."
    )
    name = f"evaluate {rows:,} rows, {len(GROUPS)} columns of groups"
    return [
        *_results(f"{name}, against the script", ours, peer),
        *_results(f"{name}, against the goal", ours, _goal(ours)),
        *_results(f"{name}, beside a champion, against the goal", beside, _goal(ours)),
    ]


def _engine(folder: Path) -> Run:
    return measure_module("engine", "evaluate", folder, threads=THREADS)


def _goal(runs: list[Run]) -> list[Run]:
    most = Run(MOST_SECONDS, MOST_MEBIBYTES, MOST_SECONDS * THREADS)
    return [most] * len(runs)


def _results(name: str, ours: list[Run], peer: list[Run]) -> list[Result]:
    parts = [("", "s"), (": peak memory", "MiB"), (": processor time", "s")]
    return [
        Result(
            f"{name}{part}", unit, [run[n] for run in ours], [run[n] for run in peer]
        )
        for n, (part, unit) in enumerate(parts)
    ]


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


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
        threads=THREADS,
    )
    (folder / "spec.json").write_text(json.dumps(spec.to_json()))
    return folder


def with_champion(folder: Path) -> Path:
    """Lay the rows and the model beside a champion, which is the model itself."""
    beside = folder.parent / "beside"
    champion = beside / "inputs" / "champion"
    if not beside.is_dir():
        champion.mkdir(parents=True)
        shutil.copy(folder / "spec.json", beside)
        for path in (folder / "inputs").iterdir():
            os.link(path, beside / "inputs" / path.name)
        for name in ("model.skops", "signature.json"):
            os.link(folder / "inputs" / name, champion / name)
    return beside


def check_alike(folder: Path) -> None:
    """Both must have found the same."""
    ours = json.loads((folder / "result.json").read_text())
    theirs = json.loads((folder / "judged.json").read_text())
    found = {row["measure"]: row for row in ours["measures"]}
    for slug, value in theirs["measures"].items():
        row, (low, high) = found[slug], theirs["bounds"][slug]
        assert abs(row["value"] - value) < CLOSE, f"{slug}: {row} and {value}"
        overlap = min(high, row["high"]) - max(low, row["low"])
        assert overlap >= 0, f"{slug}: {row} and {low, high}"
    compared = 0
    for part in ours["subgroups"]:
        named = theirs["groups"][part["column"]]
        for group in part["groups"]:
            rates = named.get(group["group"])  # what is rare is together in ours
            for slug in ("recall", "precision") if rates else ():
                gap = abs(group["measures"][slug]["value"] - rates[slug])
                astray = ASTRAY / group["rows"]
                assert gap < CLOSE + astray, f"{part['column']}, {group}, {rates}"
                compared += 1
    families = {family["slug"]: family for family in ours["families"]}
    drift = {row["slug"]: row["value"] for row in families["drift"]["figures"]}
    gap = abs(drift["largest_ks"] - max(theirs["drift"].values()))
    assert gap < CLOSE, f"{drift} and {theirs['drift']}"
    print(
        f"Alike within {CLOSE}: {len(theirs['measures'])} measures, whose intervals "
        f"overlap, {compared} rates of groups, the largest drift."
    )


if __name__ == "__main__":
    main()
