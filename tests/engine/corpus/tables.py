"""Broken Parquet and Arrow."""

import io
import tempfile
import zipfile
from pathlib import Path

import duckdb
from arro3.core import Table
from arro3.io import write_ipc, write_ipc_stream

from tests.engine.corpus.broken import Broken

_ROWS = "SELECT range AS a, 'text ' || range AS b FROM range(1000)"


def parquet(query: str = _ROWS) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        path = Path(folder) / "data"
        database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def arrow(query: str = _ROWS, *, as_stream: bool = False) -> bytes:
    out = io.BytesIO()
    with duckdb.connect() as database:
        table = Table.from_arrow(database.sql(query))
    (write_ipc_stream if as_stream else write_ipc)(table, out)
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("hidden.exe", b"MZ")
    return out.getvalue()


def _with_zip(content: bytes, tail: int) -> bytes:
    """Put a zip archive between the data and the last `tail` bytes."""
    archive = bytearray(zipped())
    archive[-2:] = tail.to_bytes(2, "little")  # the rest counts as its comment
    return content[:-tail] + bytes(archive) + content[-tail:]


def _scrambled() -> bytes:
    content = bytearray(parquet())
    content[4:200] = bytes(196)
    return bytes(content)


FILES = (
    Broken("parquet-empty", "a.parquet", b"", "The file is empty"),
    Broken("parquet-is-csv", "a.parquet", b"a,b\n1,2\n", "something else, not Parquet"),
    Broken("parquet-cut-short", "a.parquet", lambda: parquet()[:-20], "was cut short"),
    Broken(
        "parquet-footer-too-long",
        "a.parquet",
        b"PAR1" + b"x" * 50 + b"PAR1",
        "says that its footer has 2,021,161,080 bytes",
    ),
    Broken(
        "parquet-footer-broken",
        "a.parquet",
        b"PAR1" + b"\xff" * 50 + b"\x20\0\0\0PAR1",
        "cannot be read as parquet",
    ),
    Broken("parquet-pages-broken", "a.parquet", _scrambled, "cannot be read as"),
    Broken(
        "parquet-and-zip",
        "a.parquet",
        lambda: _with_zip(parquet(), 8),
        'is Parquet and a zip archive at once (it holds "hidden.exe")',
    ),
    Broken(
        "parquet-list",
        "a.parquet",
        lambda: parquet("SELECT [1] AS a, {'x': 1} AS b, 'x'::BLOB AS c"),
        'Column "a" is of the type INTEGER[]',
        ((None, "a", "INTEGER[]"), (None, "b", "STRUCT"), (None, "c", "BLOB")),
    ),
    Broken(
        "parquet-no-rows",
        "a.parquet",
        lambda: parquet("SELECT 1 AS a WHERE false"),
        "holds no rows",
    ),
    Broken(
        "parquet-nameless-column",
        "a.parquet",
        lambda: parquet('SELECT 1 AS a, 2 AS " "'),
        "Column 2 has no name",
    ),
    Broken("arrow-empty", "a.arrow", b"", "The file is empty"),
    Broken("arrow-is-csv", "a.arrow", b"a,b\n1,2\n", "something else, not Arrow"),
    Broken("arrow-is-parquet", "a.feather", parquet, "a Parquet file, not Arrow"),
    Broken("arrow-cut-short", "a.arrow", lambda: arrow()[:-9], "was cut short"),
    Broken(
        "arrow-stream-cut-short",
        "a.arrows",
        lambda: arrow(as_stream=True)[:1000],
        "cannot be read as Arrow",
    ),
    Broken(
        "arrow-broken-inside",
        "a.arrow",
        lambda: arrow()[:8] + b"\xff" * 400 + arrow()[408:],
        "cannot be read as",
    ),
    Broken(
        "arrow-list", "a.arrow", lambda: arrow("SELECT [1] AS a"), 'Column "a" is of'
    ),
)
