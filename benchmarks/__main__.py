"""All measurements, one after the other: `python -m benchmarks [--quick]`.

Prints a line as soon as it is known, and all of them as a Markdown table at the end.
Needs Postgres; `make bench` brings one.
"""

import argparse
import os
import time
from importlib import import_module

from benchmarks.measuring import HEADER


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="a twentieth of each size")
    share = 0.05 if parser.parse_args().quick else 1.0
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlops_portal.settings")
    started, results = time.perf_counter(), []
    # Imported in turn: a small parent keeps the peak memory of children readable.
    for part in ("engine_jobs", "portal_pages"):
        if part == "portal_pages":
            import_module("django").setup()
        for result in import_module(f"benchmarks.{part}").measure(share):
            print(result.line(), flush=True)
            results.append(result)
    print(f"\n{HEADER}", *(result.row() for result in results), sep="\n")
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    print(
        f"\n{os.cpu_count()} cores, load {load}, {time.perf_counter() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
