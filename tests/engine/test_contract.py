"""A table is held against its contract: each broken expectation, counted, with rows."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine import contract as contracts
from engine import contract_table, tables
from engine.folder import EngineError
from engine.spec import Contract, SpecError, propose_contract
from tests.engine.jobs import Job, Json

TABLE = """
    SELECT i AS id, CASE WHEN i % 10 > 0 THEN i % 5 END AS grade,
    i / 10 AS share, i % 3 = 0 AS flag, ['red', 'green', 'blue'][1 + i % 3] AS colour,
    'A-' || i AS code, DATE '2024-01-01' + i::INTEGER AS day,
    TIMESTAMP '2024-01-01' + INTERVAL (i) HOUR AS moment
    FROM range(100) t(i)
"""
TODAY = date(2024, 5, 1)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("contract") / "data.parquet"
    duckdb.connect().execute(f"COPY ({TABLE}) TO '{path}' (FORMAT parquet)")
    return path


def check(path: Path, contract: Json, first_row: int = 1) -> Json:
    with tables.connect(path.parent) as database:
        return contracts.check(
            database,
            path,
            Contract.from_json(contract),
            uploaded_on=TODAY,
            first_row=first_row,
        )


def of(column: str, **expectations: Any) -> Json:
    return {"columns": [{"name": column, **expectations}]}


@pytest.mark.parametrize(
    ("contract", "count"),
    [
        (of("id", present={}), 0),
        (of("id", type={"type": "integer"}), 0),
        (of("grade", missing={"ratio": 0.1}), 10),
        (of("grade", range={"low": 0, "high": 4}), 0),
        (of("share", range={"high": 9.9}), 0),
        (of("day", range={"low": "2024-01-01"}), 0),
        (of("moment", range={"high": "2024-02-01T12:00"}), 0),
        (of("colour", allowed={"values": ["red", "green", "blue", "teal"]}), 0),
        (of("grade", allowed={"values": ["0", "1", "2", "3", "4"]}), 0),
        (of("flag", allowed={"values": ["true", "false"]}), 0),
        (of("code", pattern={"pattern": r"A-\d{1,2}"}), 0),
        (of("code", unique={}), 0),
        ({"rows": {"low": 100, "high": 100}}, 0),
        ({"key": {"columns": ["colour", "id"]}}, 0),
        ({"freshness": {"column": "day", "days": 22}}, 0),
        ({"freshness": {"column": "moment", "days": 117}}, 0),
    ],
)
def test_check_passes_what_holds(table: Path, contract: Json, count: int) -> None:
    found = check(table, contract)

    assert found["verdict"] == "passed"
    assert [entry["verdict"] for entry in found["checks"]] == ["passed"]
    assert found["checks"][0]["count"] == count
    assert found["checks"][0]["rows"] == []


@pytest.mark.parametrize(
    ("contract", "count", "first"),
    [
        (of("gone", present={}), 0, None),
        (of("id", type={"type": "number"}), 0, None),
        (of("grade", missing={"ratio": 0.09}), 10, (1, None)),
        (of("id", range={"low": 2}), 2, (1, "0")),
        (of("id", range={"high": 97}), 2, (99, "98")),
        (of("day", range={"low": "2024-01-03"}), 2, (1, "2024-01-01")),
        (of("colour", allowed={"values": ["red", "blue"]}), 33, (2, "green")),
        (of("grade", allowed={"values": ["1", "many"]}), 70, (3, "2")),
        (of("code", pattern={"pattern": r"A-\d"}), 90, (11, "A-10")),
        (of("colour", unique={}), 97, (1, "red")),
        ({"rows": {"low": 101}}, 0, None),
        ({"rows": {"high": 99}}, 0, None),
        ({"key": {"columns": ["colour", "flag"]}}, 97, (1, "red, true")),
        ({"freshness": {"column": "day", "days": 21}}, 0, None),
        ({"no_others": {}}, 0, None),
    ],
)
def test_check_finds_what_is_broken(
    table: Path, contract: Json, count: int, first: tuple[int, str | None] | None
) -> None:
    found = check(table, contract)

    entry = found["checks"][0]
    assert found["verdict"] == entry["verdict"] == "failed"
    assert entry["count"] == count
    rows = [(row["row"], row["value"] or None) for row in entry["rows"]]
    assert rows[:1] == ([first] if first else [])
    assert len(rows) <= contract_table.MOST_ROWS
    assert entry["message"]


def test_check_warns_when_told_to(table: Path) -> None:
    warn = {"severity": "warn"}

    found = check(
        table,
        {
            **of("id", present=warn, range={"high": 5, **warn}),
            "key": {"columns": ["flag"], **warn},
            "rows": {"low": 1},
        },
    )

    assert found["verdict"] == "warned"
    verdicts = [entry["verdict"] for entry in found["checks"]]
    assert verdicts == ["passed", "warned", "passed", "warned"]
    contracts.refuse_broken(found)


@pytest.mark.parametrize(
    "contract", [of("gone", range={"low": 1}), of("gone", unique={}, pattern=None)]
)
def test_check_does_not_test_a_column_that_may_be_missing(
    table: Path, contract: Json
) -> None:
    found = check(table, contract)

    assert [entry["verdict"] for entry in found["checks"]] == ["not_tested"]
    assert found["checks"][0]["message"] == "The column is missing."
    assert found["verdict"] == "passed"


@pytest.mark.parametrize(
    "contract",
    [
        of("colour", range={"low": 1}),
        of("id", range={"low": "2024-01-01"}),
        of("id", pattern={"pattern": "x"}),
        {"key": {"columns": ["id", "gone"]}},
        {"freshness": {"column": "id", "days": 1}},
        {"freshness": {"column": "gone", "days": 1}},
    ],
)
def test_check_takes_what_cannot_be_held_for_broken(
    table: Path, contract: Json
) -> None:
    found = check(table, contract)

    assert [entry["verdict"] for entry in found["checks"]] == ["failed"]
    assert found["checks"][0]["message"]


def test_check_counts_rows_as_people_do(table: Path) -> None:
    found = check(table, of("id", range={"low": 1}), first_row=2)

    assert found["checks"][0]["rows"] == [{"row": 2, "value": "0"}]


def test_check_quotes_hostile_names_and_values(tmp_path: Path) -> None:
    name, value = "a\"'; DROP TABLE x; --", 'it\'s "that"; --'
    quoted = tables.name(name)
    path = tmp_path / "data.parquet"
    duckdb.connect().execute(
        f"COPY (SELECT 'b' AS {quoted}) TO '{path}' (FORMAT parquet)"
    )

    found = check(
        path,
        of(
            name,
            allowed={"values": [value]},
            pattern={"pattern": "'"},
            unique={},
            missing={"ratio": 0},
        ),
    )

    verdicts = {entry["kind"]: entry["verdict"] for entry in found["checks"]}
    assert verdicts == {
        "missing": "passed",
        "allowed": "failed",
        "pattern": "failed",
        "unique": "passed",
    }


def test_check_refuses_a_pattern_the_database_does_not_know(table: Path) -> None:
    with pytest.raises(EngineError, match="pattern of the data contract"):
        check(table, of("code", pattern={"pattern": r"a{5000}"}))


@pytest.mark.parametrize(
    ("contract", "field"),
    [
        ({"columns": [{"name": ""}]}, "columns[0].name"),
        ({"columns": [{"name": "a"}, {"name": "a"}]}, "columns"),
        ({"columns": [{"name": "a\x00"}]}, "columns[0].name"),
        ({"columns": [{"name": "\ud800"}]}, "columns[0].name"),
        ({"key": {"columns": ["a" * 501]}}, "key.columns[0]"),
        (of("a", missing={"ratio": 1.5}), "columns[0].missing.ratio"),
        (of("a", missing={}), "columns[0].missing.ratio"),
        (
            of("a", type={"type": "date", "severity": "shout"}),
            "columns[0].type.severity",
        ),
        (of("a", type={"type": "float"}), "columns[0].type.type"),
        (of("a", range={}), "columns[0].range.low"),
        (of("a", range={"low": 3, "high": 2}), "columns[0].range.high"),
        (of("a", range={"low": 3, "high": "2024-01-01"}), "columns[0].range.high"),
        (of("a", range={"low": "yesterday"}), "columns[0].range.low"),
        (of("a", range={"low": "2024-01-01T00:00+02:00"}), "columns[0].range.low"),
        (of("a", allowed={"values": []}), "columns[0].allowed.values"),
        (of("a", allowed={"values": ["x", "x"]}), "columns[0].allowed.values"),
        (of("a", allowed={"values": ["x" * 201]}), "columns[0].allowed.values[0]"),
        (of("a", pattern={"pattern": "("}), "columns[0].pattern.pattern"),
        (of("a", pattern={"pattern": ""}), "columns[0].pattern.pattern"),
        (of("a", pattern={"pattern": "(?=a)"}), "columns[0].pattern.pattern"),
        (of("a", pattern={"pattern": r"(a)\1"}), "columns[0].pattern.pattern"),
        (of("a", pattern={"pattern": "a\x00"}), "columns[0].pattern.pattern"),
        ({"rows": {}}, "rows.low"),
        ({"rows": {"low": -1}}, "rows.low"),
        ({"rows": {"low": 3, "high": 2}}, "rows.high"),
        ({"key": {"columns": []}}, "key.columns"),
        ({"freshness": {"column": "", "days": 1}}, "freshness.column"),
        ({"freshness": {"column": "a", "days": -1}}, "freshness.days"),
        ({"colums": []}, "colums"),
    ],
)
def test_contract_refuses_what_it_cannot_mean(contract: Json, field: str) -> None:
    with pytest.raises(SpecError) as caught:
        Contract.from_json(contract)

    assert caught.value.field == field


def test_contract_survives_json() -> None:
    contract = Contract.from_json(
        {**of("a", range={"low": 1, "high": 2.5}, unique={}), "revision": 3}
    )

    plain = contract.to_json()

    assert Contract.from_json(plain) == contract
    assert plain["columns"][0]["range"] == {"low": 1, "high": 2.5, "severity": "block"}
    assert "missing" not in plain["columns"][0]


CSV = "id,colour,day\n" + "".join(
    f"{n},{'red' if n % 2 else 'blue'},2024-04-{1 + n % 28:02}\n" for n in range(40)
)
SPEC = {"original_name": "t.csv", "format": "csv", "uploaded_on": "2024-05-01"}


def test_ingest_refuses_what_breaks_the_contract(job: Job) -> None:
    (job.inputs / "original").write_text(CSV)
    contract = {
        **of("colour", allowed={"values": ["red"]}),
        "rows": {"low": 100},
        "revision": 4,
    }

    result = job.refuse("ingest", {**SPEC, "contract": contract})

    assert (
        "breaks 2 expectations of the data contract (revision 4)" in result["message"]
    )
    first, second, *_ = result["details"]
    assert first["column"] is None
    assert "There are 40 rows." in first["message"]
    assert (second["row"], second["column"], second["text"]) == (2, "colour", "blue")
    assert len(result["details"]) == 1 + contract_table.MOST_ROWS


def test_ingest_keeps_what_the_contract_warns_of(job: Job) -> None:
    (job.inputs / "original").write_text(CSV)
    contract = of("colour", allowed={"values": ["red"], "severity": "warn"})

    result = job.succeed("ingest", {**SPEC, "contract": contract})

    assert result["contract"]["verdict"] == "warned"
    assert result["contract"]["checks"][0]["count"] == 20


def test_ingest_asks_for_the_day_when_there_is_a_contract(job: Job) -> None:
    (job.inputs / "original").write_text(CSV)

    result = job.refuse("ingest", {**SPEC, "contract": {}, "uploaded_on": "soon"})

    assert "uploaded_on" in result["message"]


def test_propose_reads_a_contract_off_the_profile_that_its_own_table_keeps(
    job: Job, tmp_path: Path
) -> None:
    (job.inputs / "original").write_text(CSV)
    profile = job.succeed("ingest", SPEC)

    contract = propose_contract(
        profile["profile"]["columns"], profile["row_count"], TODAY
    )

    plain = contract.to_json()
    by_name = {column["name"]: column for column in plain["columns"]}
    assert plain["rows"] == {"low": 20, "high": 80, "severity": "warn"}
    assert plain["key"]["columns"] == ["id"]
    assert plain["freshness"]["column"] == "day"
    assert by_name["colour"]["allowed"]["values"] == ["blue", "red"]
    assert by_name["id"]["range"] == {"low": 0, "high": 43, "severity": "warn"}
    again = Job(tmp_path / "again")
    (again.inputs / "original").write_text(CSV)
    kept = again.succeed("ingest", {**SPEC, "contract": contract.to_json()})
    assert kept["contract"]["verdict"] == "passed"


@pytest.mark.parametrize(
    ("changes", "field", "wanted"),
    [
        ({"min": -5, "max": -1}, "range", {"low": -6, "high": 0}),
        (
            {"min": 0.5, "max": 1.0, "type": "number"},
            "range",
            {"low": 0.45, "high": 1.05},
        ),
        ({"min": -1e308, "max": 1e308, "type": "number"}, "range", None),
        ({"missing": 30}, "missing", {"ratio": 0.45}),
        ({"missing": 100}, "missing", None),
        ({"missing": 0, "severity": "block"}, "missing", {"ratio": 0.0}),
        ({"distinct": 100}, "unique", {}),
        ({"distinct": 99}, "unique", None),
    ],
)
def test_propose_leaves_a_margin(
    changes: Json, field: str, wanted: Json | None
) -> None:
    severity = changes.pop("severity", "warn")
    column = {"name": "x", "type": "integer", "missing": 0, "distinct": 7, "top": []}

    contract = propose_contract([column | changes], 100, TODAY)

    found = contract.to_json()["columns"][0].get(field)
    assert found == (None if wanted is None else {**wanted, "severity": severity})
