"""How a comparison is taken and printed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from typing import NamedTuple, TypeVar

T = TypeVar("T")

REPEATS = 3
THREADS = 1  # what a job of the portal gets unless told otherwise; peers get as many
ROOT = Path(__file__).resolve().parent.parent
RSS_BYTES = 1 if sys.platform == "darwin" else 1024  # unit of ru_maxrss, getrusage(2)
HEADER = """\
| Measurement | Ours | Peer | Ratio | Lowest to highest |
|---|--:|--:|--:|--:|"""


@dataclass(frozen=True)
class Result:
    """One comparison, a number per repeat; a ratio below 1 means ours needs less."""

    name: str
    unit: str
    ours: list[float]
    peer: list[float]

    def line(self) -> str:
        ours, peer, ratio, _ = self._cells()
        return f"{self.name}: ours {ours}, peer {peer}, ratio {ratio}"

    def row(self) -> str:
        return f"| {' | '.join([self.name, *self._cells()])} |"

    def _cells(self) -> list[str]:
        ours, peer = median(self.ours), median(self.peer)
        ratios = [ratio(*pair) for pair in zip(self.ours, self.peer, strict=True)]
        return [
            f"{ours:.3g} {self.unit}",
            f"{peer:.3g} {self.unit}",
            f"{ratio(ours, peer):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
        ]


def ratio(ours: float, peer: float) -> float:
    """Divide; two zeros are equal."""
    if peer:
        return ours / peer
    return 1.0 if ours == 0 else inf


def in_turn(ours: Callable[[], T], peer: Callable[[], T]) -> tuple[list[T], list[T]]:
    """Take turns, so that a busy moment of the machine meets both."""
    pairs = [(ours(), peer()) for _ in range(REPEATS)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def milliseconds_each(work: Callable[[], object], times: int) -> float:
    """Warm up, then return what one of `times` repetitions took on average."""
    work()
    started = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - started) / times * 1_000


class Run(NamedTuple):
    """What a process needed, its children counted.

    Attributes:
        seconds: until it ended.
        peak_mebibytes: of memory.
        cpu_seconds: of processors; on a busy machine the fairest to compare.
    """

    seconds: float
    peak_mebibytes: float
    cpu_seconds: float


def run_module(module: str, *arguments: object) -> tuple[float, float]:
    """Run `python -m module` to its end; return its seconds and its peak in MiB."""
    run = measure_module(module, *arguments, threads=THREADS)
    return run.seconds, run.peak_mebibytes


def measure_module(module: str, *arguments: object, threads: int) -> Run:
    """Run `python -m module` to its end with so many threads."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    fixed = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    with NamedTemporaryFile("r") as report:
        done = subprocess.run(
            [sys.executable, "-S", ROOT / "benchmarks/peak.py", report.name, *command],
            cwd=ROOT,
            env=os.environ | fixed,
            check=False,
        )
        seconds, peak, cpu = map(float, report.read().split())
    assert done.returncode == 0, f"{module} failed"
    return Run(seconds, peak * RSS_BYTES / 1024**2, cpu)
