"""Training through the portal against a plain script: `python -m benchmarks.training`.

Brings a Postgres that waits for the disk. Ours is everything from asking for a training
to its recorded run, carried out by the worker's own task: the data taken from the blob
store, the sandbox, the engine, and every file stored. Only the wait for a free worker
is left out. The peer is `benchmarks.peers.fit`, which knows neither.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

import django
from django.core.management import call_command

from benchmarks import table
from benchmarks.audit.database import durable_database
from benchmarks.measuring import HEADER, Result, in_turn, run_module
from engine.spec import ESTIMATORS, complete_parameters

ROWS = 1_000_000
USUAL = ("hist_gradient_boosting", "logistic_regression")
COST = {"false_alarm": 1.0, "miss": 10.0}
MOST_APART = 0.005


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--estimators", nargs="+", choices=ESTIMATORS, default=USUAL)
    asked = parser.parse_args()
    started = time.perf_counter()
    with durable_database() as folder:
        os.environ |= {"JOBS_DIR": str(folder / "jobs"), "REDIS_URL": "memory://"}
        django.setup()
        call_command("migrate", verbosity=0)
        results = list(_measure(asked.estimators, asked.rows, folder))
    print(f"\n{HEADER}", *(result.row() for result in results), sep="\n")
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    print(
        f"\n{os.cpu_count()} cores, load {load}, {time.perf_counter() - started:.0f} s"
    )


def _measure(estimators: list[str], rows: int, folder: Path) -> Iterator[Result]:
    data = folder / "data.parquet"
    run_module("benchmarks.table", data, "PARQUET", rows)
    portal = import_module("benchmarks.training.portal").Portal(data, rows)
    for slug in estimators:
        wanted = (table.TARGET, slug, json.dumps(complete_parameters(slug, {})))
        results = folder / slug
        results.mkdir()
        ours, peer = in_turn(
            partial(portal.train, _spec(slug)),
            partial(run_module, "benchmarks.peers.fit", data, *wanted, results),
        )
        expected = json.loads((results / "metrics.json").read_text())["roc_auc"]
        apart = abs(portal.roc_auc - expected)
        assert apart < MOST_APART, f"{slug}: {portal.roc_auc} and {expected}"
        result = Result(
            f"{ESTIMATORS[slug].title}: train on {rows:,} rows × 20 columns",
            "s",
            ours,
            [seconds for seconds, _ in peer],
        )
        print(result.line(), flush=True)
        yield result


def _spec(slug: str) -> dict[str, object]:
    kinds = dict.fromkeys(table.NUMBERS + table.COUNTS, "number")
    kinds |= dict.fromkeys(table.CATEGORIES, "category")
    return {
        "task": "binary",
        "target": table.TARGET,
        "positive_label": "yes",
        "features": [{"name": name, "kind": kind} for name, kind in kinds.items()],
        "estimator": slug,
        "cost": COST,
    }


if __name__ == "__main__":
    main()
