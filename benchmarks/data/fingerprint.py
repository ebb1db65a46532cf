"""How fast a table is fingerprinted, beside the two things that bound it.

    python -m benchmarks.data.fingerprint [ROWS]

On one core, in turns: SHA-256 over bytes in memory (what the machine can digest at
most), DuckDB giving out the same values without any digest (what reading costs), and
the fingerprint. The megabytes are those of the values as they are hashed: 8 bytes for a
number, 4 for a date, 4 and its text for a text, a bit for each mark.
"""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.measuring import REPEATS, run_module
from engine import tables
from engine.arrow_stream import batches
from engine.canonical import columns_of, encoded
from engine.fingerprint import fingerprint

ROWS = 5_000_000
MEGABYTE = 1_000_000
SPECIMEN_BYTES = 200 * MEGABYTE


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        path = Path(folder) / "data.parquet"
        run_module("benchmarks.table", path, "PARQUET", rows)
        with tables.connect(path.parent, threads=1) as database:
            _report(database, path, rows)


def _report(database: duckdb.DuckDBPyConnection, path: Path, rows: int) -> None:
    size = _hashed_bytes(database, path)
    specimen = os.urandom(SPECIMEN_BYTES)
    works: dict[str, tuple[Callable[[], object], int]] = {
        "SHA-256 alone": (lambda: hashlib.sha256(specimen).digest(), SPECIMEN_BYTES),
        "reading alone": (lambda: _read(database, path), size),
        "fingerprint": (lambda: _fingerprint(database, path, unordered=False), size),
    }
    speeds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS):
        for name, (work, count) in works.items():
            speeds[name].append(count / MEGABYTE / _cpu_seconds(work))
    print(f"{rows:,} rows, {size / MEGABYTE:,.0f} MB as hashed, one core:")
    for name, found in speeds.items():
        low, high = min(found), max(found)
        print(f"  {name}: {median(found):,.0f} MB/s ({low:,.0f} to {high:,.0f})")
    turns = list(zip(*speeds.values(), strict=True))
    ratio = median(ours / sha for sha, _, ours in turns)
    bound = median(1 / (1 / sha + 1 / reading) for sha, reading, _ in turns)
    print(f"  fingerprint to SHA-256: {ratio:.2f}")
    print(f"  reading and then hashing can reach: {bound:,.0f} MB/s")
    seconds = _cpu_seconds(lambda: _fingerprint(database, path, unordered=True))
    print(f"  with the digest for any order: {seconds / rows * MEGABYTE:.1f} µs a row")


def _cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time, so that a busy machine does not count as slowness."""
    started = time.process_time()
    work()
    return time.process_time() - started


def _hashed_bytes(database: duckdb.DuckDBPyConnection, path: Path) -> int:
    total = 0
    for column in columns_of(database, path):
        for (piece,) in encoded(database, path, [column]):
            total += len(piece.valid) // 8 + piece.words.nbytes + piece.text.nbytes
    return total


def _read(database: duckdb.DuckDBPyConnection, path: Path) -> None:
    for column in columns_of(database, path):
        query = f"SELECT {tables.name(column.name)} FROM '{path}'"  # noqa: S608
        for _ in batches(database.sql(query)):
            pass


def _fingerprint(
    database: duckdb.DuckDBPyConnection, path: Path, *, unordered: bool
) -> None:
    fingerprint(database, path, lambda _: None, threads=1, unordered=unordered)


if __name__ == "__main__":
    main()
