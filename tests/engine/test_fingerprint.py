"""The fingerprint covers every value, names what changed, and can be recomputed.

`recompute` follows docs/guide/recompute-a-fingerprint.md and shares nothing with the
engine: rows come one by one as Python values.
"""

# ruff: noqa: S608 - the queries are ours
import datetime as dt
import hashlib
import math
import struct
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine import fingerprint as fingerprints
from engine import tables
from engine.arrow_stream import batches
from tests.engine.jobs import Job, Json

MIXED = """
    SELECT i AS "the ""row"" ", -i * 7 AS "größe",
    CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN -0.0 WHEN 2 THEN 'nan'::DOUBLE
        ELSE i / 3 END AS x,
    CASE WHEN i % 3 > 0 THEN i % 2 = 0 END AS flag,
    DATE '1969-12-30' + i::INTEGER AS day,
    CASE WHEN i % 4 > 0 THEN TIMESTAMP '1969-12-31 23:59:59.999999'
        + INTERVAL (i) HOUR END AS moment,
    CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 'größer ' || i WHEN 2 THEN ''
        ELSE repeat('long ü', i::INTEGER) END AS note,
    CASE WHEN i % 6 > 0 THEN encode(repeat('p', 10 + i::INTEGER)) END AS picture
    FROM range({rows}) t(i)
"""
KINDS = {
    "BIGINT": "integer",
    "DOUBLE": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "VARCHAR": "text",
    "BLOB": "image",
}
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - timestamps of tables have no zone


def write(path: Path, query: str, options: str = "") -> Path:
    duckdb.connect().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{options})")
    return path


def fingerprint(path: Path, threads: int = 1, **options: Any) -> Json:
    with tables.connect(path.parent, threads=threads) as database:
        return fingerprints.fingerprint(
            database, path, lambda _: None, threads=threads, **options
        )


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def word_and_text(kind: str, value: Any) -> tuple[bytes, bytes]:
    if kind in ("text", "image"):
        data = value.encode() if kind == "text" else value
        is_short = kind == "text" and len(data) <= 1024
        text = data if is_short else sha(data).hex().encode()
        return struct.pack("<I", len(data)), text
    if kind == "boolean":
        return bytes([value]), b""
    if kind == "date":
        return struct.pack("<i", (value - EPOCH.date()).days), b""
    if kind == "timestamp":
        return struct.pack("<q", (value - EPOCH) // dt.timedelta(microseconds=1)), b""
    if kind == "integer":
        return struct.pack("<q", value), b""
    if math.isnan(value):
        return bytes.fromhex("7FF8000000000000")[::-1], b""
    return struct.pack("<d", 0.0 if value == 0 else value), b""


WIDTHS = {"boolean": 1, "date": 4, "text": 4, "image": 4}


def canonical(kind: str, value: Any) -> tuple[int, bytes, bytes]:
    if value is None:
        return 0, bytes(WIDTHS.get(kind, 8)), b""
    return (1, *word_and_text(kind, value))


def column_digest(kind: str, values: list[Any]) -> bytes:
    cells = [canonical(kind, value) for value in values]
    marks = bytearray((len(cells) + 7) // 8)
    for place, (mark, _, _) in enumerate(cells):
        marks[place // 8] |= mark << (place % 8)
    words = b"".join(word for _, word, _ in cells)
    texts = b"".join(text for _, _, text in cells)
    return sha(f"{kind} {len(cells)}\n".encode() + marks + words + texts)


def recompute(path: Path) -> Json:
    database = duckdb.connect()
    described = database.execute(f"DESCRIBE FROM read_parquet('{path}')").fetchall()
    columns = [(row[0], KINDS[row[1]]) for row in described]
    rows = database.execute(f"FROM read_parquet('{path}')").fetchall()
    head = f"portal-table-1 {len(columns)} {len(rows)}\n".encode()
    for name, kind in columns:
        head += f"{kind} {len(name.encode())} {name}\n".encode()
    groups, by_column = [], [b"" for _ in columns]
    for first in range(0, len(rows), 65_536):
        part = rows[first : first + 65_536]
        digests = [
            column_digest(kind, [row[place] for row in part])
            for place, (_, kind) in enumerate(columns)
        ]
        by_column = [a + b for a, b in zip(by_column, digests, strict=True)]
        digest = sha(b"".join(digests))
        groups.append(
            {"first_row": first + 1, "rows": len(part), "digest": digest.hex()}
        )
    row_digests = []
    for row in rows:
        cells = [canonical(k, v) for (_, k), v in zip(columns, row, strict=True)]
        fixed = b"".join(bytes([mark]) + word for mark, word, _ in cells)
        row_digests.append(sha(fixed + b"".join(text for _, _, text in cells)))
    return {
        "algorithm": "portal-table-1",
        "digest": sha(
            head + b"".join(bytes.fromhex(g["digest"]) for g in groups)
        ).hex(),
        "unordered": sha(b"unordered " + head + b"".join(sorted(row_digests))).hex(),
        "rows": len(rows),
        "row_groups": groups,
        "columns": [
            {"name": name, "digest": sha(digests).hex()}
            for (name, _), digests in zip(columns, by_column, strict=True)
        ],
    }


@pytest.mark.parametrize("rows", [1, 7, 400])
def test_fingerprint_agrees_with_an_independent_computation(
    tmp_path: Path, rows: int
) -> None:
    path = write(tmp_path / "t.parquet", MIXED.format(rows=rows))

    assert fingerprint(path) == recompute(path)


def test_fingerprint_agrees_over_several_groups(tmp_path: Path) -> None:
    value = "CASE WHEN i % 9 > 0 THEN 'v' || i END"
    query = f"SELECT i, {value} AS v FROM range(140000) t(i)"
    path = write(tmp_path / "t.parquet", query)

    found = fingerprint(path)

    assert found == recompute(path)
    assert [group["rows"] for group in found["row_groups"]] == [65536, 65536, 8928]


@pytest.mark.parametrize(
    "options",
    [", COMPRESSION zstd", ", ROW_GROUP_SIZE 2048", ", PARQUET_VERSION v2"],
)
def test_fingerprint_ignores_how_the_file_is_written(
    tmp_path: Path, options: str
) -> None:
    query = MIXED.format(rows=9000).replace("repeat('long ü', i::INTEGER)", "'long'")
    plain = write(tmp_path / "plain.parquet", query)
    other = write(tmp_path / "other.parquet", query, options)

    assert fingerprint(other, threads=2) == fingerprint(plain)


def test_fingerprint_names_group_and_column_of_one_changed_value(
    tmp_path: Path,
) -> None:
    query = "SELECT i AS id, {} AS x, 'a' AS t FROM range(150000) t(i)"
    before = write(tmp_path / "a.parquet", query.format("0::BIGINT"))
    changed = "CASE WHEN i = 70000 THEN 1 ELSE 0 END::BIGINT"
    after = write(tmp_path / "b.parquet", query.format(changed))

    old, new = fingerprint(before), fingerprint(after)

    def differ(part: str, name: str) -> list[Any]:
        pairs = zip(old[part], new[part], strict=True)
        return [a[name] for a, b in pairs if a != b]

    assert old["digest"] != new["digest"]
    assert differ("row_groups", "first_row") == [65_537]
    assert differ("columns", "name") == ["x"]


def test_fingerprint_unordered_does_not_depend_on_the_order(tmp_path: Path) -> None:
    query = "SELECT i % 50 AS a, 'n' || (i % 50) AS b FROM range(1000) t(i)"
    straight = fingerprint(write(tmp_path / "a.parquet", query))
    turned = fingerprint(
        write(tmp_path / "b.parquet", f"{query} ORDER BY hash(i)"),
    )
    fewer = fingerprint(write(tmp_path / "c.parquet", query.replace("1000", "999")))

    assert straight["unordered"] == turned["unordered"] != fewer["unordered"]
    assert straight["digest"] != turned["digest"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NULL::BIGINT", "0::BIGINT"),
        ("NULL::VARCHAR", "''"),
        ("1::BIGINT", "1::DOUBLE"),
        ("'1'", "1::BIGINT"),
        ("repeat('a', 1025)", "sha256(repeat('a', 1025))"),
    ],
)
def test_fingerprint_tells_alike_values_apart(
    tmp_path: Path, one: str, other: str
) -> None:
    first = fingerprint(write(tmp_path / "a.parquet", f"SELECT {one} AS x"))
    second = fingerprint(write(tmp_path / "b.parquet", f"SELECT {other} AS x"))

    assert first["digest"] != second["digest"]
    assert first["unordered"] != second["unordered"]


def test_fingerprint_of_names_and_order_of_columns(tmp_path: Path) -> None:
    lists = ["'x' AS a, 'y' AS b", "'x' AS a, 'y' AS c", "'y' AS b, 'x' AS a"]

    found = {
        fingerprint(write(tmp_path / f"{place}.parquet", f"SELECT {names}"))["digest"]
        for place, names in enumerate(lists)
    }

    assert len(found) == 3


def test_fingerprint_leaves_out_what_is_slow_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "UNORDERED_ROWS", 10)
    path = write(tmp_path / "t.parquet", "SELECT i FROM range(11) t(i)")

    assert fingerprint(path)["unordered"] is None
    assert fingerprint(path, unordered=True)["unordered"] is not None


def test_fingerprint_verb_gives_what_ingest_gives(job: Job, tmp_path: Path) -> None:
    (job.inputs / "original").write_text("a,b\n1,x\n2,y\n")
    ingested = job.succeed("ingest", {"original_name": "t.csv", "format": "csv"})
    again = Job(tmp_path / "again")
    (job.outputs / "data.parquet").rename(again.inputs / "data.parquet")

    result = again.succeed("fingerprint", {"unordered": True})

    assert result["fingerprint"] == ingested["fingerprint"]
    assert again.progress()[-1]["ratio"] == 1.0


def test_batches_hand_on_what_went_wrong_on_the_way() -> None:
    text = "CASE WHEN i < 300000 THEN '1' ELSE 'x' END"
    query = f"SELECT CAST({text} AS BIGINT) FROM range(400000) t(i)"

    with duckdb.connect() as database, pytest.raises(duckdb.Error, match="'x'"):
        list(batches(database.sql(query)))
