"""A fingerprint of every value of a table, by groups of rows.

What is hashed is the content and not the file: another compression, another library
or another number of threads give the same fingerprint, and one changed value gives
another one, which names its group of rows and its column. The definition, fit for
computing it without this code, is in `docs/guide/recompute-a-fingerprint.md`.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from engine import tables
from engine.canonical import Column, Encoded, columns_of, encoded
from engine.folder import Folder, Json
from engine.spec import FingerprintSpec

ALGORITHM = "portal-table-1"
GROUP_ROWS = 65_536
UNORDERED_ROWS = 1_000_000  # above this only on request: it takes 2 µs a row


def run(spec: FingerprintSpec, folder: Folder) -> Json:
    """Compute the fingerprint of `inputs/data.parquet`."""
    with tables.connect(folder.path, threads=spec.threads) as database:
        found = fingerprint(
            database,
            folder.require_input("data.parquet"),
            lambda ratio: folder.progress(ratio, "Computing the fingerprint"),
            threads=spec.threads,
            unordered=spec.unordered,
        )
    return {"fingerprint": found}


def fingerprint(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    on_progress: Callable[[float], None],
    *,
    threads: int,
    unordered: bool | None = None,
) -> Json:
    """Compute the fingerprint of one of our Parquet files.

    Args:
        database: a connection that may read `path`.
        path: the Parquet file.
        on_progress: called with the share of the work done.
        threads: how many columns are read and hashed at once.
        unordered: whether to compute the digest that does not depend on the order
            of rows, which is slower; None for up to `UNORDERED_ROWS` rows.

    Returns:
        `algorithm`; `digest` over the schema and the groups; `unordered`, or None;
        `rows`; `row_groups`, each with `first_row` (from 1), `rows` and `digest`;
        `columns`, each with `name` and `digest`. Digests are SHA-256 in hex.
    """
    columns = columns_of(database, path)
    steps = len(columns) * 2 if unordered else len(columns)
    rows, by_column = 0, []

    def digests_of(column: Column) -> tuple[list[int], list[bytes]]:
        return _column(database.cursor(), path, column)

    with ThreadPoolExecutor(threads) as workers:
        for counts, digests in workers.map(digests_of, columns):
            rows = sum(counts)
            by_column.append(digests)
            on_progress(len(by_column) / steps)
    groups = [_sha256(*digests) for digests in zip(*by_column, strict=True)]
    if unordered is None:
        unordered = rows <= UNORDERED_ROWS
    found = {
        "algorithm": ALGORITHM,
        "digest": _sha256(_head(columns, rows), *groups).hex(),
        "unordered": _unordered(database, path, columns, rows) if unordered else None,
        "rows": rows,
        "row_groups": [
            {
                "first_row": place * GROUP_ROWS + 1,
                "rows": min(GROUP_ROWS, rows - place * GROUP_ROWS),
                "digest": digest.hex(),
            }
            for place, digest in enumerate(groups)
        ],
        "columns": [
            {"name": column.name, "digest": _sha256(*digests).hex()}
            for column, digests in zip(columns, by_column, strict=True)
        ],
    }
    on_progress(1.0)
    return found


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _head(columns: Sequence[Column], rows: int) -> bytes:
    lines = [f"{ALGORITHM} {len(columns)} {rows}\n".encode()]
    for column in columns:
        name = column.name.encode()
        lines.append(f"{column.type} {len(name)} ".encode() + name + b"\n")
    return b"".join(lines)


def _column(
    database: duckdb.DuckDBPyConnection, path: Path, column: Column
) -> tuple[list[int], list[bytes]]:
    """Return the number of rows and the digest of each group, for one column."""
    counts, digests = [], []
    pieces = (batch[0] for batch in encoded(database, path, [column]))
    for group in _groups(pieces):
        count = sum(len(piece.valid) for piece in group)
        digest = hashlib.sha256(f"{column.type} {count}\n".encode())
        valid = np.concatenate([piece.valid for piece in group])
        digest.update(np.packbits(valid, bitorder="little").data)
        for piece in group:
            digest.update(np.ascontiguousarray(piece.words).data)
        for piece in group:
            digest.update(piece.text.data)
        counts.append(count)
        digests.append(digest.digest())
    return counts, digests


def _groups(pieces: Iterator[Encoded]) -> Iterator[list[Encoded]]:
    """Put pieces of any length together, or cut them, into groups of rows."""
    held: list[Encoded] = []
    room = GROUP_ROWS
    for piece in pieces:
        at, count = 0, len(piece.valid)
        while at < count:
            taken = min(room, count - at)
            held.append(_cut(piece, at, at + taken))
            at, room = at + taken, room - taken
            if room == 0:
                yield held
                held, room = [], GROUP_ROWS
        # The arrays are views of memory that the next piece takes.
        held = [_kept(part) for part in held]
    if held:
        yield held


def _cut(piece: Encoded, start: int, stop: int) -> Encoded:
    text = piece.text
    if piece.ends is not None:
        first = int(piece.ends[start - 1]) if start else 0
        text = piece.text[first : int(piece.ends[stop - 1])]
    return Encoded(piece.valid[start:stop], piece.words[start:stop], text)


def _kept(piece: Encoded) -> Encoded:
    return Encoded(piece.valid.copy(), piece.words.copy(), piece.text.copy())


def _unordered(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    columns: list[Column],
    rows: int,
) -> str:
    """Digest of the rows as a bag: SHA-256 over the sorted digests of the rows."""
    digests = b"".join(
        row_digest
        for batch in encoded(database, path, columns)
        for row_digest in _row_digests(batch)
    )
    ordered = np.sort(np.frombuffer(digests, "S32"))
    head = b"unordered " + _head(columns, rows)
    return hashlib.sha256(head + ordered.tobytes()).hexdigest()


def _row_digests(batch: list[Encoded]) -> Iterator[bytes]:
    """Digest of each row: first a mark and a word for each column, then the texts."""
    layout = [
        place
        for number, piece in enumerate(batch)
        for place in ((f"m{number}", "u1"), (f"w{number}", piece.words.dtype))
    ]
    fixed = np.empty(len(batch[0].valid), np.dtype(layout))
    for number, piece in enumerate(batch):
        fixed[f"m{number}"] = piece.valid
        fixed[f"w{number}"] = piece.words
    parts = [_rows_of(fixed.tobytes(), fixed.itemsize)]
    parts += [
        _texts(piece.text.tobytes(), piece.ends)
        for piece in batch
        if piece.ends is not None
    ]
    for row in zip(*parts, strict=True):
        yield hashlib.sha256(b"".join(row)).digest()


def _rows_of(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def _texts(text: bytes, ends: NDArray[np.int64]) -> Iterator[bytes]:
    start = 0
    for end in ends.tolist():
        yield text[start:end]
        start = end
