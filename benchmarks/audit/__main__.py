"""The audit trail against a bare INSERT: `python -m benchmarks.audit [--quick]`.

Brings a Postgres that waits for the disk. All that is fast is compared with R, the
transactions a second of eight writers that insert into a bare table.
"""

import argparse
import os
import time
from importlib import import_module
from pathlib import Path

import django
from django.core.management import call_command

from benchmarks.audit.database import durable_database
from benchmarks.measuring import HEADER, Result

MILLION = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit")
    parser.add_argument("--quick", action="store_true", help="a twentieth of each size")
    parser.add_argument("--millions", type=float, default=1, help="size of the trail")
    asked = parser.parse_args()
    share = 0.05 if asked.quick else 1.0
    started = time.perf_counter()
    with durable_database() as folder:
        django.setup()
        call_command("migrate", verbosity=0)
        results = _measure(share, int(MILLION * asked.millions * share), folder)
    print(f"\n{HEADER}", *(result.row() for result in results), sep="\n")
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    print(
        f"\n{os.cpu_count()} cores, load {load}, {time.perf_counter() - started:.0f} s"
    )


def _measure(share: float, count: int, folder: Path) -> list[Result]:
    append, lag, bulk, pages = (
        import_module(f"benchmarks.audit.{part}")
        for part in ("append", "lag", "bulk", "pages")
    )
    results: list[Result] = []

    def note(found: Result) -> None:
        print(found.line(), flush=True)
        results.append(found)

    for found in append.measure(share):
        note(found)
    raw = append.raw_rate(results)
    for found in lag.measure(share):
        note(found)
    for found in bulk.measure(count, raw, folder):
        note(found)
    for found in pages.measure(count):
        note(found)
    return results


if __name__ == "__main__":
    main()
