"""The portal against a stock MLflow server: `python -m benchmarks.tracking`.

Both serve with two workers from one Postgres that waits for the disk, and are asked in
turn by the same client.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import django
from django.core.management import call_command

from benchmarks import measuring
from benchmarks.audit.database import durable_database
from benchmarks.measuring import HEADER, Result, in_turn
from benchmarks.tracking import cases, filling
from benchmarks.tracking.servers import Tracking, portal_server, stock_server

MEBIBYTE = 1024 * 1024


class Sizes(NamedTuple):
    """How much of each."""

    runs: int
    batches: int
    small_runs: int
    searches: int
    points: int
    file_mebibytes: int
    aliases: int


FULL = Sizes(100_000, 200, 100, 20, 100_000, 1024, 800)
QUICK = Sizes(5_000, 16, 10, 5, 10_000, 64, 80)
WARMING = 40  # batches before the first measurement: new processes load as they go
NAMES = ("batch", "small", "search", "history", "file", "alias")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tracking")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("cases", nargs="*", help=f"only these of {', '.join(NAMES)}")
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement")
    asked = parser.parse_args()
    measuring.REPEATS = asked.repeats
    sizes = QUICK if asked.quick else FULL
    started = time.perf_counter()
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    results: list[Result] = []
    with durable_database() as folder, _both(folder) as (ours, peer):
        for result in _measure(asked.cases or NAMES, ours, peer, sizes, folder):
            print(result.line(), flush=True)
            results.append(result)
    print(f"\n{HEADER}", *(result.row() for result in results), sep="\n")
    seconds = time.perf_counter() - started
    print(f"\n{os.cpu_count()} cores, load {load} at the start, {seconds:.0f} s")


class Side(NamedTuple):
    """A server and the experiment that is asked about."""

    server: Tracking
    experiment: str


@contextmanager
def _both(folder: Path) -> Iterator[tuple[Side, Side]]:
    os.environ["PORTAL_MODE"] = "development"
    django.setup()
    call_command("migrate", verbosity=0)
    token = import_module("benchmarks.tracking.person").make()
    url = os.environ["DATABASE_URL"]
    with (
        portal_server(folder, url, token) as portal,
        stock_server(folder, url) as stock,
    ):
        ours, peer = (Side(one, _experiment(one)) for one in (portal, stock))
        for side in (ours, peer):
            cases.batch_rate(*side, WARMING)
        yield ours, peer


def _experiment(server: Tracking) -> str:
    made = cases.Asking(server).json("experiments/create", {"name": "Measured"})
    return made["experiment_id"]


def _measure(
    names: list[str], ours: Side, peer: Side, sizes: Sizes, folder: Path
) -> Iterator[Result]:
    """Measure what is named, in the order of `NAMES`."""
    for name in NAMES:
        if name in names:
            yield from _CASES[name](ours, peer, sizes, folder)


def _pair(
    name: str, unit: str, ours: Side, peer: Side, work: Callable[[Side], float]
) -> Iterator[Result]:
    yield Result(name, unit, *in_turn(lambda: work(ours), lambda: work(peer)))


def _batch(ours: Side, peer: Side, sizes: Sizes, _: Path) -> Iterator[Result]:
    def work(one: Side) -> float:
        return cases.batch_rate(*one, sizes.batches)

    return _pair("log-batch of 1,000 points", "requests/s", ours, peer, work)


def _small(ours: Side, peer: Side, sizes: Sizes, folder: Path) -> Iterator[Result]:
    def work(one: Side) -> float:
        return cases.small_runs_rate(one.server, sizes.small_runs, folder)

    return _pair("small runs end to end", "runs/s", ours, peer, work)


def _search(ours: Side, peer: Side, sizes: Sizes, _: Path) -> Iterator[Result]:
    def work(one: Side) -> float:
        return cases.search_milliseconds(*one, sizes.searches)

    _fill(ours, peer, sizes.runs)
    found = [
        [cases.found_names(cases.Asking(server), experiment, n) for n in range(5)]
        for server, experiment in (ours, peer)
    ]
    assert found[0] == found[1], "The two do not find the same runs."
    name = f"search of {sizes.runs:,} runs, filter and order, median"
    return _pair(name, "ms", ours, peer, work)


def _history(ours: Side, peer: Side, sizes: Sizes, _: Path) -> Iterator[Result]:
    runs = {one: cases.write_history(*one, sizes.points) for one in (ours, peer)}

    def work(one: Side) -> float:
        return cases.history_seconds(one.server, runs[one], sizes.points)

    return _pair(f"history of {sizes.points:,} points", "s", ours, peer, work)


def _alias(ours: Side, peer: Side, sizes: Sizes, _: Path) -> Iterator[Result]:
    for one in (ours, peer):
        cases.register(*one, "measured")

    def work(one: Side) -> float:
        return cases.alias_rate(one.server, "measured", sizes.aliases)

    return _pair("version by alias", "requests/s", ours, peer, work)


def _file(ours: Side, peer: Side, sizes: Sizes, _: Path) -> Iterator[Result]:
    mebibytes = sizes.file_mebibytes
    size = mebibytes * MEBIBYTE
    mine, theirs = in_turn(
        lambda: cases.transfer(*ours, size), lambda: cases.transfer(*peer, size)
    )
    for place, way in enumerate(("upload", "download")):
        times = [[each[place] for each in side] for side in (mine, theirs)]
        yield Result(f"{way} of {mebibytes:,} MiB", "s", *times)
    peaks = [one.server.peak_mebibytes() for one in (ours, peer)]
    yield Result("most memory of a server process", "MiB", *([peak] for peak in peaks))


def _fill(ours: Side, peer: Side, runs: int) -> None:
    person = import_module("benchmarks.tracking.person").key()
    filling.fill(
        ours.server.database,
        filling.PORTAL,
        experiment=ours.experiment,
        runs=runs,
        person=person,
    )
    filling.fill(
        peer.server.database,
        filling.STOCK,
        experiment=int(peer.experiment),
        runs=runs,
    )


_CASES = {
    "batch": _batch,
    "small": _small,
    "search": _search,
    "history": _history,
    "file": _file,
    "alias": _alias,
}


if __name__ == "__main__":
    main()
