"""Jobs of the engine, each in a process of its own as the portal runs them."""

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import table
from benchmarks.measuring import THREADS, Result, in_turn, run_module
from engine.spec import Cost, Feature, IngestSpec, Spec, TrainSpec, complete_parameters

FEW_ROWS = 500  # what they take is starting up and packaging
INGEST = IngestSpec(original_name="table.csv", format="csv", threads=THREADS)
TRAIN = TrainSpec(
    task="binary",
    target=table.TARGET,
    positive_label="yes",
    features=(
        *(Feature(name, "number") for name in table.NUMBERS + table.COUNTS),
        *(Feature(name, "category") for name in table.CATEGORIES),
    ),
    estimator="hist_gradient_boosting",
    parameters=complete_parameters("hist_gradient_boosting", {}),
    cost=Cost(false_alarm=1, miss=10),
    threads=THREADS,
)


def measure(share: float) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as parent:
        yield from _ingest(Path(parent), int(1_000_000 * share))
        for rows in (int(200_000 * share), FEW_ROWS):
            yield _train(Path(parent), rows)


def _ingest(parent: Path, rows: int) -> Iterator[Result]:
    folder, original = _job(parent / "ingest", INGEST, "original", rows)
    ours, peer = in_turn(
        partial(run_module, "engine", "ingest", folder),
        partial(
            run_module, "benchmarks.peers.copy", original, folder / "copy", THREADS
        ),
    )
    name = f"ingest {rows:,} rows × 20 columns of CSV, against a bare DuckDB COPY"
    for place, named in enumerate([(name, "s"), (f"{name}: peak memory", "MiB")]):
        yield Result(*named, [run[place] for run in ours], [run[place] for run in peer])


def _train(parent: Path, rows: int) -> Result:
    folder, data = _job(parent / f"train-{rows}", TRAIN, "data.parquet", rows)
    wanted = (table.TARGET, TRAIN.estimator, json.dumps(TRAIN.parameters), folder)
    ours, peer = in_turn(
        partial(run_module, "engine", "train", folder),
        partial(run_module, "benchmarks.peers.fit", data, *wanted),
    )
    found = json.loads((folder / "result.json").read_text())["metrics"]["test.roc_auc"]
    expected = json.loads((folder / "metrics.json").read_text())["roc_auc"]
    alike = abs(found - expected) < 0.005 or rows <= FEW_ROWS
    assert alike, f"not the same model: {found} and {expected}"
    name = f"train on {rows:,} rows × 20 columns, against a plain scikit-learn script"
    return Result(name, "s", [run[0] for run in ours], [run[0] for run in peer])


def _job(folder: Path, spec: Spec, input_name: str, rows: int) -> tuple[Path, Path]:
    """Make a job folder around a generated table; return both."""
    (folder / "inputs").mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(spec.to_json()))
    kind = "PARQUET" if input_name.endswith(".parquet") else "CSV"
    run_module("benchmarks.table", folder / "inputs" / input_name, kind, rows)
    return folder, folder / "inputs" / input_name
