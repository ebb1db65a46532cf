"""How long answers take on this worker, and how large the model is."""

import time
from statistics import median

import numpy as np

from engine.evaluation.shape import Family, figure, table
from engine.evaluation.subject import Subject
from engine.features import Table

REPEATS = 7
BATCH = 1_000


def compute(subject: Subject) -> Family:
    """Take the median of several measurements, after one that does not count."""
    rows = len(subject.table)
    one = subject.table.take(np.zeros(1, np.int64))
    many = subject.table.take(np.arange(BATCH) % rows)
    single, thousand = _times(subject, one), _times(subject, many)
    size = subject.model_file.stat().st_size
    return Family(
        "runtime",
        f"One row takes {median(single):.3g} ms and 1,000 rows {median(thousand):.3g} "
        f"ms on {subject.spec.threads} thread(s) of this worker; each is the median of "
        f"{REPEATS} measurements. The model's file has {size:,} bytes.",
        figures=[
            figure("latency_row_ms", median(single), min(single), max(single)),
            figure("latency_1000_ms", median(thousand), min(thousand), max(thousand)),
            figure("model_bytes", size),
        ],
        tables=[
            table(
                "Milliseconds of each measurement",
                ("Measurement", "One row", "1,000 rows"),
                [
                    [number, *pair]
                    for number, pair in enumerate(
                        zip(single, thousand, strict=True), start=1
                    )
                ],
            )
        ],
    )


def _times(subject: Subject, table: Table) -> list[float]:
    """Return the milliseconds of each of `REPEATS` predictions of `table`."""
    ask = subject.asking(table)
    ask()
    found = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        ask()
        found.append((time.perf_counter() - started) * 1_000)
    return found
