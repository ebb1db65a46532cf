"""Two versions are compared: columns, rows by key or as a bag, distributions."""

# ruff: noqa: S608 - the queries are ours
import duckdb
import numpy as np
import pytest
from scipy import stats

from engine import compare_columns
from engine.compare_columns import psi
from tests.engine.jobs import Job, Json

BEFORE = """
    SELECT i AS id, 'n' || i AS name, i / 2 AS x, i % 2 = 0 AS flag,
    DATE '2024-01-01' + i::INTEGER AS day FROM range(100) t(i)
"""


def put(job: Job, before: str, after: str) -> None:
    for name, query in (("before", before), ("after", after)):
        path = job.inputs / f"{name}.parquet"
        duckdb.connect().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def compare(job: Job, before: str, after: str, **spec: object) -> Json:
    put(job, before, after)
    return job.succeed("compare", spec)


def counts(rows: Json) -> tuple[int, int, int, int]:
    return rows["added"], rows["removed"], rows["changed"], rows["same"]


def test_compare_by_key_names_row_and_values(job: Job) -> None:
    after = (
        "SELECT * REPLACE (CASE WHEN id = 41 THEN NULL ELSE x END AS x, "
        f"CASE WHEN id > 97 THEN 'other' ELSE name END AS name) FROM ({BEFORE}) "
        "WHERE id <> 3 UNION ALL SELECT 500, 'new', 1.5, true, NULL"
    )

    result = compare(job, BEFORE, after, key=["id"])

    rows = result["rows"]
    assert counts(rows) == (1, 1, 3, 96)
    assert (rows["before"], rows["after"], rows["key"]) == (100, 100, ["id"])
    assert rows["by_column"] == [{"name": "name", "rows": 2}, {"name": "x", "rows": 1}]
    first, *_, added, removed = rows["examples"]
    assert first == {
        "kind": "changed",
        "before_row": 42,
        "after_row": 41,
        "values": {"id": ["41", "41"], "x": ["20.5", None]},
    }
    assert added["kind"] == "added"
    assert added["values"]["name"] == [None, "new"]
    assert removed["values"]["id"] == ["3", None]


def test_compare_without_a_key_counts_whole_rows(job: Job) -> None:
    before = "SELECT 'a' AS v, 1 AS w UNION ALL SELECT 'a', 1 UNION ALL SELECT NULL, 2"
    after = "SELECT NULL AS v, 2 AS w UNION ALL SELECT 'a', 1 UNION ALL SELECT 'b', 1"

    rows = compare(job, cast(before), cast(after))["rows"]

    assert counts(rows) == (1, 1, 0, 2)
    assert [(e["kind"], e["values"]) for e in rows["examples"]] == [
        ("added", {"v": [None, "b"], "w": [None, "1"]}),
        ("removed", {"v": ["a", None], "w": ["1", None]}),
    ]


def cast(query: str) -> str:
    return f"SELECT v, w::BIGINT AS w FROM ({query})"


def test_compare_sees_another_order_as_the_same(job: Job) -> None:
    rows = compare(job, BEFORE, f"{BEFORE} ORDER BY hash(i)")["rows"]

    assert counts(rows) == (0, 0, 0, 100)
    assert rows["examples"] == []


def test_compare_tells_columns_that_came_went_and_changed(job: Job) -> None:
    after = (
        "SELECT id, CAST(id AS VARCHAR) AS more, CAST(x AS VARCHAR) AS x, flag, name "
        f"FROM ({BEFORE})"
    )

    result = compare(job, BEFORE, after, key=["id"])

    assert result["schema"] == {
        "added": [{"name": "more", "type": "text"}],
        "removed": [{"name": "day", "type": "date"}],
        "retyped": [{"name": "x", "before": "number", "after": "text"}],
    }
    assert counts(result["rows"]) == (0, 0, 0, 100)
    assert [c["name"] for c in result["columns"]] == ["id", "flag", "name"]


@pytest.mark.parametrize(
    ("key", "words"),
    [(["gone"], 'key column "gone" is not in both'), (["flag"], "rows 1 and 3 of the")],
)
def test_compare_refuses_a_key_that_is_none(
    job: Job, key: list[str], words: str
) -> None:
    put(job, BEFORE, BEFORE)

    result = job.refuse("compare", {"key": key})

    assert words in result["message"]


def test_compare_leaves_out_groups_that_are_the_same(job: Job) -> None:
    before = "SELECT i AS id, i AS x FROM range(140000) t(i)"
    changed = "CASE WHEN i IN (1, 70000) THEN -1 ELSE i END"
    after = f"SELECT i AS id, {changed} AS x FROM range(140000) t(i)"

    result = compare(job, before, after, key=["id"], same_groups=[0, 2])

    assert counts(result["rows"]) == (0, 0, 1, 139_999)
    assert result["rows"]["examples"][0]["after_row"] == 70_001


@pytest.mark.parametrize(
    "name", ["row", "n", "c0", "sign", 'a"; --', "file_row_number"]
)
def test_compare_minds_any_name_of_a_column(job: Job, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    before = f"SELECT i AS {quoted}, i AS row_, 'x' AS net FROM range(3) t(i)"

    rows = compare(job, before, before.replace("'x'", "'y'"), key=[name])["rows"]

    assert counts(rows) == (0, 0, 3, 0)


def test_compare_shows_few_examples_of_many(job: Job) -> None:
    after = f"SELECT * REPLACE (x + 1 AS x, id + 40 AS id) FROM ({BEFORE})"

    rows = compare(job, BEFORE, after, key=["id"], examples=30)["rows"]

    assert counts(rows) == (40, 40, 60, 0)
    kinds = [example["kind"] for example in rows["examples"]]
    assert [kinds.count(k) for k in ("changed", "added", "removed")] == [30, 20, 20]


def test_compare_measures_the_shift_of_each_column(job: Job) -> None:
    after = (
        "SELECT * REPLACE (CASE WHEN id < 10 THEN NULL ELSE x + 25 END AS x, "
        f"'n' || (id % 3) AS name, day + 50 AS day) FROM ({BEFORE})"
    )

    result = compare(job, BEFORE, after, key=["id"])

    found = {column["name"]: column for column in result["columns"]}
    old = np.arange(100) / 2
    assert found["id"]["psi"] == 0
    assert found["id"]["statistic"] == 0
    assert found["x"]["missing"] == [0, 0.1]
    assert found["x"]["statistic"] == pytest.approx(
        stats.ks_2samp(old, old[10:] + 25).statistic
    )
    assert found["x"]["psi"] > 0.25
    assert sum(found["x"]["bins"]["after"]) == 90
    assert len(found["day"]["bins"]["edges"]) == compare_columns.BINS + 1
    assert found["name"]["test"] == "chi2"
    assert found["name"]["bins"]["labels"][:3] == ["n0", "n1", "n2"]
    assert found["name"]["bins"]["labels"][-1] == compare_columns.OTHER
    assert found["flag"]["bins"]["before"] == [50, 50]


def test_compare_of_columns_without_values_says_nothing(job: Job) -> None:
    columns = "NULL::DOUBLE AS x, NULL::VARCHAR AS t, 'one' AS c"

    result = compare(job, f"SELECT {columns}", f"SELECT {columns}")

    x, t, c = result["columns"]
    assert (x["psi"], x["bins"], t["psi"], t["bins"]) == (None, None, None, None)
    assert x["missing"] == [1.0, 1.0]
    assert (c["psi"], c["statistic"], c["p_value"]) == (0, 0, 1)


def test_compare_takes_every_nth_row_of_a_large_table(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare_columns, "MOST_VALUES", 30)

    result = compare(job, BEFORE, BEFORE, key=["id"])

    x = next(column for column in result["columns"] if column["name"] == "x")
    assert sum(x["bins"]["before"]) == 25


def test_compare_draws_bins_around_a_constant_and_across_the_floats(job: Job) -> None:
    same = "SELECT 7.0::DOUBLE AS x, y FROM (VALUES (-1.7e308), (1.7e308)) t(y)"

    result = compare(job, same, same)

    x, y = (column["bins"] for column in result["columns"])
    assert (x["edges"][0], x["edges"][-1]) == (6.5, 7.5)
    assert (y["before"][0], y["before"][-1]) == (1, 1)


def test_psi_of_the_textbook() -> None:
    expected = (0.5 - 0.4) * np.log(0.5 / 0.4) + (0.5 - 0.6) * np.log(0.5 / 0.6)

    assert psi([40, 60], [50, 50]) == pytest.approx(expected)
    assert psi([1, 0], [0, 1]) < np.inf
