"""Rows put aside: the same ones every time, in order, and none of them left behind."""

# ruff: noqa: S608 - the names are of this module

import hashlib

import duckdb
import pytest

from engine.spec import IngestSpec, Seal, SpecError
from tests.engine.jobs import Job, Json

ROWS = 1000


def put(job: Job, rows: int = ROWS) -> None:
    """A table whose id counts up, with groups of ten rows and two kinds."""
    path = job.inputs / "original"
    duckdb.connect().execute(
        "COPY (SELECT i AS id, (i // 10)::VARCHAR AS team, "
        "CASE WHEN i % 5 = 0 THEN 'rare' WHEN i % 7 = 0 THEN NULL ELSE 'usual' END AS "
        "kind, DATE '2020-01-01' + (i % 100)::INTEGER AS day "
        f"FROM range({rows}) AS t(i)) TO '{path}' (FORMAT parquet)"
    )


def spec(**seal: object) -> Json:
    return {
        "original_name": "t.parquet",
        "format": "parquet",
        "seal": {"ratio": 0.2, **seal},
    }


def values(job: Job, file: str, column: str) -> list[object]:
    path = job.outputs / file
    found = duckdb.connect().execute(f"SELECT \"{column}\" FROM read_parquet('{path}')")
    return [row[0] for row in found.fetchall()]


def both(job: Job, column: str) -> tuple[list[object], list[object]]:
    return values(job, "sealed.parquet", column), values(job, "data.parquet", column)


def test_random_puts_the_rows_with_the_smallest_keys_aside(job: Job) -> None:
    put(job)

    result = job.succeed("ingest", spec(method="random", seed=7))

    def key(row: int) -> int:
        digest = hashlib.md5(f"7:{row}".encode(), usedforsecurity=False).digest()
        return int.from_bytes(digest[8:], "little")

    expected = sorted(sorted(range(ROWS), key=key)[:200])
    sealed, left = both(job, "id")
    assert sealed == expected
    assert left == [row for row in range(ROWS) if row not in set(expected)]
    assert result["sealed"] == {
        "rows": 200,
        "rows_left": 800,
        "method": "random",
        "repeated": 0,
    }
    assert result["row_count"] == 800


def test_stratified_keeps_each_value_in_proportion(job: Job) -> None:
    put(job)

    job.succeed("ingest", spec(method="stratified", column="kind"))

    sealed, left = both(job, "kind")
    for kind in ("rare", "usual", None):
        share = sealed.count(kind) / (sealed.count(kind) + left.count(kind))
        assert share == pytest.approx(0.2, abs=0.01)
    ids, _ = both(job, "id")
    assert ids == sorted(ids)


def test_group_never_parts_a_group(job: Job) -> None:
    put(job)

    job.succeed("ingest", spec(method="group", column="team"))

    sealed, left = both(job, "team")
    assert not set(sealed) & set(left)
    assert len(sealed) == 200


def test_time_puts_the_latest_aside(job: Job) -> None:
    put(job)

    job.succeed("ingest", spec(method="time", column="day"))

    sealed, left = both(job, "day")
    assert min(sealed) > max(left)
    assert len(sealed) == 200


@pytest.mark.parametrize(
    "seal",
    [
        {"method": "random"},
        {"method": "stratified", "column": "kind"},
        {"method": "group", "column": "team"},
        {"method": "time", "column": "id"},
    ],
)
def test_both_parts_keep_the_order_in_tables_of_many_row_groups(
    job: Job, seal: Json
) -> None:
    put(job, rows=400_000)

    job.succeed("ingest", spec(**seal) | {"threads": 2})

    sealed, left = both(job, "id")
    assert sealed == sorted(sealed)
    assert left == sorted(left)
    assert sorted([*sealed, *left]) == list(range(400_000))


def test_another_seed_chooses_other_rows(job: Job) -> None:
    put(job)
    job.succeed("ingest", spec(method="random", seed=1))
    first, _ = both(job, "id")

    job.succeed("ingest", spec(method="random", seed=2))

    assert both(job, "id")[0] != first


def test_rows_on_both_sides_are_counted(job: Job) -> None:
    (job.inputs / "original").write_text("a,b\n" + "1,x\n" * 50 + "2,\n" * 50)
    asked = {**spec(method="random"), "original_name": "t.csv", "format": "csv"}

    result = job.succeed("ingest", asked)

    assert result["sealed"]["repeated"] == 20


def test_rows_put_aside_are_not_profiled(job: Job) -> None:
    put(job)

    result = job.succeed("ingest", spec(method="time", column="id"))

    profile = {c["name"]: c for c in result["profile"]["columns"]}
    assert profile["id"]["max"] == 799


@pytest.mark.parametrize(
    ("seal", "words"),
    [
        ({"method": "group", "column": "nothing"}, 'no column "nothing"'),
        ({"method": "time", "column": "kind"}, "choose a column of dates"),
        ({"method": "group", "column": "same"}, "choose another column"),
        ({"method": "time", "column": "number"}, "choose another column"),
        ({"method": "random", "ratio": 0.01}, "choose another column"),
    ],
)
def test_a_seal_that_cannot_be_is_refused(job: Job, seal: Json, words: str) -> None:
    content = "kind,same,number\n" + "a,b,1\n" * 20
    (job.inputs / "original").write_text(content)
    asked = {**spec(**seal), "original_name": "t.csv", "format": "csv"}

    failure = job.refuse("ingest", asked)

    assert words in failure["message"]
    assert "file_row_number" not in failure["message"]


@pytest.mark.parametrize(
    ("seal", "field"),
    [
        ({"method": "random", "ratio": 0.9}, "seal.ratio"),
        ({"method": "random", "ratio": 0.2, "column": "a"}, "seal.column"),
        ({"method": "group", "ratio": 0.2}, "seal.column"),
        ({"method": "latest", "ratio": 0.2}, "seal.method"),
        ({"method": "random", "ratio": 0.2, "seed": -1}, "seal.seed"),
    ],
)
def test_a_faulty_seal_names_its_field(seal: Json, field: str) -> None:
    with pytest.raises(SpecError) as caught:
        IngestSpec.from_json({"original_name": "a", "format": "csv", "seal": seal})

    assert caught.value.field == field


def test_a_seal_survives_json() -> None:
    seal = Seal(method="time", ratio=0.3, column="day")
    spec = IngestSpec(original_name="a.csv", format="csv", seal=seal)

    assert IngestSpec.from_json(spec.to_json()) == spec


def test_too_many_strata_are_refused(job: Job) -> None:
    put(job)

    failure = job.refuse("ingest", spec(method="stratified", column="id"))

    assert "1,000 different values" in failure["message"]


def test_the_one_name_that_is_taken_is_refused(job: Job) -> None:
    (job.inputs / "original").write_text("File_Row_Number\n" + "1\n" * 20)
    asked = {**spec(method="random"), "original_name": "t.csv", "format": "csv"}

    failure = job.refuse("ingest", asked)

    assert "rename the column" in failure["message"]


def test_other_names_of_columns_are_not_in_the_way(job: Job) -> None:
    content = 'behind,key,size,"a ""b"""\n' + "1,2,3,4\n5,6,7,8\n" * 10
    (job.inputs / "original").write_text(content)
    seal = {"method": "group", "column": 'a "b"', "ratio": 0.5}

    job.succeed("ingest", spec(**seal) | {"original_name": "t.csv", "format": "csv"})

    assert len(values(job, "sealed.parquet", "key")) == 10
