"""Tables become typed Parquet; what cannot be read is refused with row and column."""

import gzip
import json
from pathlib import Path

import duckdb
import pytest

from engine.profile import source as profile_source
from tests.engine.jobs import Job, Json

CSV = {"original_name": "table.csv", "format": "csv"}
PARQUET = {"original_name": "table.parquet", "format": "parquet"}


def put(job: Job, content: bytes | str) -> None:
    data = content.encode() if isinstance(content, str) else content
    (job.inputs / "original").write_bytes(data)


def put_parquet(job: Job, query: str) -> None:
    path = job.inputs / "original"
    duckdb.connect().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def rows(job: Job) -> list[tuple[object, ...]]:
    path = job.outputs / "data.parquet"
    return duckdb.connect().execute(f"FROM read_parquet('{path}')").fetchall()


def types(result: Json) -> dict[str, str]:
    return {column["name"]: column["type"] for column in result["schema"]}


def test_ingest_types_every_column(job: Job) -> None:
    put(
        job,
        " age ,score,born,seen,flag,answer,zip,serial,note\n"
        "3,1.5,1990-01-08,2020-01-01 10:00,true,yes,02139,12345678901234567890,=1+1\n"
        "4,nan,1990-01-09,2020-01-02 10:00,false,no,99501,12345678901234567891, \n",
    )

    result = job.succeed("ingest", CSV)

    assert types(result) == {
        "age": "integer",
        "score": "number",
        "born": "date",
        "seen": "timestamp",
        "flag": "boolean",
        "answer": "text",
        "zip": "text",
        "serial": "text",
        "note": "text",
    }
    first, second = rows(job)
    assert first[5:] == ("yes", "02139", "12345678901234567890", "=1+1")
    assert second[1] is None
    assert second[8] is None
    assert [c["nullable"] for c in result["schema"] if c["name"] == "note"] == [True]
    assert result["row_count"] == 2
    assert result["byte_count"] == (job.outputs / "data.parquet").stat().st_size


def test_ingest_keeps_codes_that_appear_late(job: Job) -> None:
    put(job, "zip\n" + "12345\n" * 25_000 + "02139\n")

    result = job.succeed("ingest", CSV)

    assert types(result) == {"zip": "text"}
    assert rows(job)[-1] == ("02139",)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_ingest_finds_the_delimiter(job: Job, mark: str) -> None:
    put(job, f"a{mark}b,c{mark}d\n1{mark}x{mark}\n")

    result = job.succeed("ingest", CSV)

    assert types(result) == {"a": "integer", "b,c": "text", "d": "text"}


def test_ingest_keeps_text_alone(job: Job) -> None:
    put(job, "a\nx\n")

    assert types(job.succeed("ingest", CSV)) == {"a": "text"}


def test_ingest_reads_american_dates(job: Job) -> None:
    put(job, "born\n01/31/2020\n12/01/2020\n")

    assert types(job.succeed("ingest", CSV)) == {"born": "date"}


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbfa,b\r\n1,"two\nlines"\r\n2,y\r\n',
        b'a,b\n1,"two\nlines"\r\n2,y\n',
        b'a,b\n\n1,"two\nlines"\n\n2,y',
    ],
)
def test_ingest_accepts_any_line_end(job: Job, content: bytes) -> None:
    put(job, content)

    job.succeed("ingest", CSV)

    assert rows(job) == [(1, "two\nlines"), (2, "y")]


def test_ingest_takes_a_blank_line_for_a_missing_value_in_one_column(job: Job) -> None:
    put(job, "a\n1\n\n2\n")

    job.succeed("ingest", CSV)

    assert rows(job) == [(1,), (None,), (2,)]


def test_ingest_reads_quotes_after_a_space(job: Job) -> None:
    put(job, 'a, b\n1, "x, y"\n')

    job.succeed("ingest", CSV)

    assert rows(job) == [(1, "x, y")]


def test_ingest_keeps_the_file_the_same_byte_for_byte(tmp_path: Path) -> None:
    files = []
    for name in ("first", "second"):
        job = Job(tmp_path / name)
        put(job, "a,b\n" + "".join(f"{i},x{i % 7}\n" for i in range(2_000)))
        job.succeed("ingest", CSV)
        files.append((job.outputs / "data.parquet").read_bytes())

    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"a,b\n", "no rows"),
        (b",\n1,2\n", "no column names"),
        (b"\n1\n", "no column names"),
        (b"a,,c\n1,2,3\n", "Column 2 has no name"),
        (b"Age,b,age\n1,2,3\n", "Columns 1 and 3 are both named"),
        (b",".join(b"c%d" % i for i in range(2_001)) + b"\n", "2,001 columns"),
        (b"a,b\n1,2\n1,\0\n", "Line 3 holds a NUL byte"),
        ("a,b\n1,2\n1,é\n".encode("latin-1"), "Line 3 is not UTF-8 text (byte 0xE9)"),
        ("a,b\n1,é".encode()[:-1], "Line 2 is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "Line 1 is UTF-16"),
        ("a,b\n1,2\n".encode("utf-32"), "Line 1 is UTF-32"),
        ("a,b\n1,2\n".encode("utf-16-le"), "Line 1 holds a NUL byte"),
        (b"PK\x03\x04rest", "zip archive or Excel workbook"),
        (gzip.compress(b"a\n1\n", mtime=0), "gzip archive"),
        (b"%PDF-1.7", "PDF document"),
        (b"PAR1", "Parquet file"),
        (b"a,b\n1,2\n" + b"x" * 1_100_000 + b",2\n", "Line 3 is longer than 1 MB"),
        (b'a,b\n1,2\n1,"open\n1,2\n', "Row 3 has a quote that is not closed"),
        (b'a,b\n1,"x"y\n', "Row 2 has a quote"),
    ],
)
def test_ingest_refuses_csv(job: Job, content: bytes, message: str) -> None:
    put(job, content)

    result = job.refuse("ingest", CSV)

    assert message in result["message"]


def test_ingest_never_loses_rows_silently(job: Job) -> None:
    put(job, b"a\n1\r\n2\r\n")

    message = job.refuse("ingest", CSV)["message"]

    assert "check quotes and line ends" in message


def test_ingest_refuses_ragged_rows_and_lists_them(job: Job) -> None:
    put(job, "a,b\n1,2\n1\n1,2,3\n1,2\n")

    result = job.refuse("ingest", CSV)

    assert result["message"].startswith("table.csv: Row 3 has 1 fields instead of 2")
    assert "1 more like this" in result["message"]
    places = [(d["row"], d["column"], d["text"]) for d in result["details"]]
    assert places == [(3, "b", "1"), (4, "b", "1,2,3")]


def test_ingest_refuses_a_wrong_type_late_in_the_file(job: Job) -> None:
    lines = ["age,note"] + ["1,x"] * 25_000 + ['"o,ld",x', "old,y"]
    put(job, "\n".join(lines))

    result = job.refuse("ingest", CSV)

    assert "Row 25,002, column \"age\": 'o,ld' does not fit" in result["message"]
    places = [(d["row"], d["column"], d["text"]) for d in result["details"]]
    assert places == [(25_002, "age", "o,ld"), (25_003, "age", "old")]


def test_ingest_masks_what_may_be_personal_in_what_it_refuses(job: Job) -> None:
    good = "".join(f"{n},{n}\n" for n in range(30_000))
    put(job, f"ssn,size\n{good}123-45-6789,5\n7,ann@agency.example\n")

    result = job.refuse("ingest", CSV)

    texts = {place["column"]: place["text"] for place in result["details"]}
    assert texts == {"ssn": "1••-••-••••", "size": "a••@••••••.•••••••"}
    said = json.dumps(result)
    assert "6789" not in said
    assert "agency" not in said


def test_ingest_masks_a_whole_row_that_names_a_person(job: Job) -> None:
    put(job, "surname,size\nSmith,5\nJones,6,7\n")

    (place,) = job.refuse("ingest", CSV)["details"]

    assert place["text"] == "J••••,•,•"


def test_ingest_refuses_more_details_than_fit(job: Job) -> None:
    put(job, "a,b\n" + "1\n" * 150)

    assert len(job.refuse("ingest", CSV)["details"]) == 100


@pytest.mark.parametrize("spec", [CSV, PARQUET])
def test_ingest_refuses_too_many_rows(job: Job, spec: Json) -> None:
    if spec is CSV:
        put(job, "a\n1\n2\n")
    else:
        put_parquet(job, "SELECT range AS a FROM range(2)")

    result = job.refuse("ingest", spec | {"max_rows": 1})

    assert "2 rows, more than the 1 allowed" in result["message"]


def test_ingest_says_how_far_it_is(job: Job) -> None:
    put(job, "a\n1\n2\n3\n")

    job.succeed("ingest", CSV)

    ratios = [line["ratio"] for line in job.progress() if "ratio" in line]
    logs = [line["log"] for line in job.progress() if "log" in line]
    assert ratios == sorted(ratios)
    assert ratios[-1] == 1.0
    assert logs == ["3 rows in 1 columns."]


def test_ingest_reads_parquet(job: Job) -> None:
    put_parquet(
        job,
        "SELECT 1::TINYINT AS \" a\", 1.5::DECIMAL(4,1) AS b, 'inf'::FLOAT AS c, "
        "'x'::ENUM('x') AS d, '2020-01-01'::TIMESTAMP_MS AS e, ' ' AS f, "
        "'2020-01-01 00:00:00+00'::TIMESTAMPTZ AS g, '10:00'::TIME AS h, "
        "uuid() AS i, 'infinity'::DATE AS j",
    )

    result = job.succeed("ingest", PARQUET)

    assert list(types(result).values()) == [
        "integer",
        "number",
        "number",
        "text",
        "timestamp",
        "text",
        "timestamp",
        "text",
        "text",
        "date",
    ]
    row = rows(job)[0]
    assert row[:4] == (1, 1.5, None, "x")
    assert row[5] is None
    assert row[9] is None


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT [1] AS a", 'Column "a" is of the type INTEGER[]'),
        ("SELECT {'x': 1} AS a", "STRUCT"),
        ("SELECT 'x'::BLOB AS a", "BLOB"),
        ("SELECT 1 AS a WHERE false", "no rows"),
        ('SELECT 1 AS " "', "no column names"),
    ],
)
def test_ingest_refuses_parquet(job: Job, query: str, message: str) -> None:
    put_parquet(job, query)

    assert message in job.refuse("ingest", PARQUET)["message"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "is something else, not Parquet"),
        (b"PAR1" + b"x" * 50, "cut short"),
        (
            b"PAR1" + b"x" * 50 + b"PAR1",
            "says that its footer has 2,021,161,080 bytes",
        ),
    ],
)
def test_ingest_refuses_broken_parquet(job: Job, content: bytes, message: str) -> None:
    put(job, content)

    assert message in job.refuse("ingest", PARQUET)["message"]


def test_ingest_refuses_a_missing_file(job: Job) -> None:
    assert "inputs/original is missing" in job.refuse("ingest", CSV)["message"]


def test_profile_describes_numbers_and_text(job: Job) -> None:
    numbers = "\n".join(f"{i},{i / 4},{'ab'[i % 2]}" for i in range(101))
    put(job, f"whole,real,letter\n{numbers}\n,,\n")

    result = job.succeed("ingest", CSV)

    whole, real, letter = result["profile"]["columns"]
    assert (whole["min"], whole["max"], whole["missing"]) == (0, 100, 1)
    assert whole["quantiles"] == {
        "0.01": 1,
        "0.05": 5,
        "0.25": 25,
        "0.5": 50,
        "0.75": 75,
        "0.95": 95,
        "0.99": 99,
    }
    assert whole["histogram"]["edges"][:2] == [0, 5]
    assert whole["histogram"]["counts"] == [5] * 19 + [6]
    assert whole["top"] == []
    assert real["mean"] == pytest.approx(12.5)
    assert real["std"] == pytest.approx(7.3257, abs=1e-3)
    assert letter["distinct"] == 2
    assert letter["top"] == [{"value": "a", "count": 51}, {"value": "b", "count": 50}]
    assert letter["min"] is None


def test_profile_describes_dates_constants_and_nothing(job: Job) -> None:
    put_parquet(
        job,
        "SELECT DATE '2020-01-01' + range::INTEGER AS day, 7 AS same, "
        "TIMESTAMP '2020-01-01 12:00:00' AS at, NULL::DOUBLE AS none, "
        "DATE '0001-01-01' AS first FROM range(11)",
    )

    result = job.succeed("ingest", PARQUET)

    day, same, at, none, first = result["profile"]["columns"]
    assert (day["min"], day["max"]) == ("2020-01-01", "2020-01-11")
    assert day["histogram"]["edges"][2] == "2020-01-02"
    assert day["quantiles"]["0.5"] == "2020-01-06"
    assert same["histogram"]["edges"][0] == 6.5
    assert sum(same["histogram"]["counts"]) == 11
    assert at["min"] == "2020-01-01T12:00:00"
    assert none["histogram"] is None
    assert none["missing"] == 11
    assert first["histogram"]["edges"][0] == "0001-01-01"


def test_profile_estimates_large_tables(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_source, "EXACT_ROWS", 2_000)
    put_parquet(job, "SELECT range AS a FROM range(10000)")

    column = job.succeed("ingest", PARQUET)["profile"]["columns"][0]

    assert column["distinct"] == pytest.approx(10_000, rel=0.1)
    assert column["quantiles"]["0.5"] == pytest.approx(5_000, rel=0.05)


def test_ingest_cannot_reach_other_files(job: Job, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    put(job, f"a\n\"' || read_text('{secret}') || '\"\n")

    job.succeed("ingest", CSV)

    assert str(secret) in json.dumps(rows(job))
