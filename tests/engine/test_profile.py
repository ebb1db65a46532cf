"""What a profile says: numbers, correlations, time coverage, hints, subgroups."""

# ruff: noqa: S608 - queries of our own

import duckdb
import numpy as np
import pandas as pd
import pytest

from engine.profile import columns as profile_columns
from engine.profile import hints, profile
from engine.profile import source as profile_source
from engine.profile.correlations import correlate
from engine.profile.hints import masked
from engine.profile.subgroups import kind_of, words_of

TYPES = {
    "BIGINT": "integer",
    "INTEGER": "integer",
    "DOUBLE": "number",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}


@pytest.fixture
def described(tmp_path):
    """Give a function that profiles what a query returns."""

    def describe(query: str, *, threads: int = 1):
        path = tmp_path / "data.parquet"
        with duckdb.connect() as database:
            database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
            found = database.execute(f"DESCRIBE FROM '{path}'").fetchall()
            types = {row[0]: TYPES[row[1]] for row in found}
            return profile(
                database, path, types, threads=threads, on_progress=lambda ratio: None
            )

    return describe


def test_profile_agrees_with_pandas(described):
    query = (
        "SELECT CASE WHEN range % 7 > 0 THEN (range * 7919) % 1013 END AS whole, "
        "ln(1 + range) * sin(range) AS real FROM range(5000)"
    )

    whole, real = described(query, threads=2).columns

    frame = duckdb.sql(query).df()
    for column, found in (("whole", whole), ("real", real)):
        values = frame[column].dropna()
        assert found["missing"] == frame[column].isna().sum()
        assert found["distinct"] == values.nunique()
        assert found["mean"] == pytest.approx(values.mean())
        assert found["std"] == pytest.approx(values.std())
        for ratio, value in found["quantiles"].items():
            assert value == pytest.approx(values.quantile(float(ratio)))
        counts, edges = np.histogram(values, bins=20)
        assert found["histogram"]["counts"] == counts.tolist()
        assert found["histogram"]["edges"] == pytest.approx(edges.tolist())


def test_profile_keeps_the_largest_whole_numbers(described):
    largest, least = 2**63 - 1, -(2**63)

    (column,) = described(
        f"SELECT unnest([{largest}, {least + 1} - 1]::BIGINT[]) AS a"
    ).columns

    assert (column["min"], column["max"]) == (least, largest)
    assert sum(column["histogram"]["counts"]) == 2
    assert {value["value"] for value in column["top"]} == {str(largest), str(least)}


def test_profile_survives_numbers_at_the_end_of_doubles(described):
    (column,) = described("SELECT unnest([1.7e308, -1.7e308]) AS a").columns

    assert column["histogram"]["counts"][0] == 1
    assert sum(column["histogram"]["counts"]) == 2


def test_profile_of_a_large_table_is_an_estimate(described, monkeypatch):
    monkeypatch.setattr(profile_source, "EXACT_ROWS", 2_000)
    monkeypatch.setattr(profile_columns, "EXACT_TEXT_ROWS", 2_000)
    monkeypatch.setattr(profile_columns, "MOST_GROUPS", 500)

    found = described(
        "SELECT range AS a, (range % 3)::INT AS b, "
        "CASE WHEN range % 2 = 0 THEN 'same' ELSE 'x' || range END AS text, "
        "DATE '2020-01-01' + (range % 500)::INT AS day, NULL::DOUBLE AS none "
        "FROM range(20000)"
    )

    whole, few, text, day, none = found.columns
    assert all(c["is_estimate"] for c in found.columns)
    assert (whole["min"], whole["max"], whole["mean"]) == (0, 19_999, 9_999.5)
    assert whole["quantiles"]["0.5"] == pytest.approx(10_000, rel=0.1)
    assert sum(whole["histogram"]["counts"]) == pytest.approx(20_000, rel=0.01)
    assert few["top"][0]["count"] == pytest.approx(6_667, rel=0.2)
    assert text["top"][0] == {"value": "same", "count": 10_000}
    assert (day["min"], day["max"]) == ("2020-01-01", "2021-05-14")
    assert sum(day["coverage"]["counts"]) == pytest.approx(20_000, rel=0.01)
    assert (none["missing"], none["min"]) == (20_000, None)


@pytest.mark.parametrize(
    ("days", "period", "periods", "empty"),
    [
        (10, "day", 10, 0),
        (300, "week", 44, 0),
        (1_000, "month", 33, 0),
        (3_000, "quarter", 33, 0),
        (10_000, "year", 28, 0),
        (100_000, "decade", 28, 0),
        (3_000_000, "century", 83, 0),
    ],
)
def test_profile_covers_times_by_a_fitting_period(
    described, days, period, periods, empty
):
    first = "2020-01-01" if days < 1_000_000 else "0001-01-01"
    (column,) = described(
        f"SELECT DATE '{first}' + range::INT AS day FROM range({days})"
    ).columns

    coverage = column["coverage"]
    assert coverage["period"] == period
    assert len(coverage["counts"]) == len(coverage["starts"]) == periods
    assert sum(coverage["counts"]) == days
    assert coverage["empty"] == empty


def test_profile_finds_gaps_in_times(described):
    (column,) = described(
        "SELECT unnest([TIMESTAMP '2020-01-01 23:59:59', TIMESTAMP '2020-01-04 00:00', "
        "TIMESTAMP '1969-12-31 23:00'][:2]) AS at"
    ).columns

    coverage = column["coverage"]
    assert coverage["starts"] == [
        "2020-01-01",
        "2020-01-02",
        "2020-01-03",
        "2020-01-04",
    ]
    assert coverage["counts"] == [1, 0, 0, 1]
    assert coverage["empty"] == 2
    assert coverage["first"] == "2020-01-01T23:59:59"


def test_correlate_agrees_with_pandas():
    rng = np.random.default_rng(3)
    x = rng.normal(size=500)
    frame = pd.DataFrame({"x": x, "y": x**3 + rng.normal(size=500), "z": np.round(-x)})
    frame.loc[::5, "y"] = np.nan

    found = correlate({name: frame[name].to_numpy() for name in frame})

    assert found["columns"] == ["x", "y", "z"]
    assert found["pearson"] == pytest.approx(frame.corr().to_numpy(), abs=1e-3)
    # Ranks are taken over all rows of a column, so pairs with gaps differ a little.
    spearman = frame.corr(method="spearman").to_numpy()
    assert found["spearman"] == pytest.approx(spearman, abs=1e-2)


def test_correlate_leaves_out_what_does_not_vary():
    same, one = np.ones(9), np.arange(9.0)

    assert correlate({"same": same, "one": one}) is None
    assert correlate({}) is None


def test_correlate_says_nothing_of_columns_that_never_meet():
    first, second = np.arange(10.0), np.arange(10.0)
    first[5:], second[:5] = np.nan, np.nan

    assert correlate({"a": first, "b": second})["pearson"][0][1] is None


@pytest.mark.parametrize(
    ("column", "values", "kind", "matches"),
    [
        ("note", ["call 123-45-6789", "none"], "social security number", 1),
        ("contact", ["ann@agency.gov", "-"], "e-mail address", 1),
        ("paid_with", ["4111 1111 1111 1111", "cash"], "credit card number", 1),
        ("reach", ["(202) 555-0143", "202-555-0143"], "telephone number", 2),
        ("source", ["10.0.0.1", "192.168.1.20"], "IP address", 2),
        ("place", ["12 Elm St", "7 Long Road"], "street address", 2),
        ("first_name", ["Annabel", "Bob"], "name of a person", 2),
        ("LastName", ["Jones"], "name of a person", 1),
        ("ssn", ["123456789"], "social security number", 1),
        ("home_address", ["somewhere"], "street address", 1),
    ],
)
def test_hints_find_personal_data(described, column, values, kind, matches):
    rows = ", ".join(f"('{value}')" for value in values)

    found = described(f'SELECT * FROM (VALUES {rows}) AS t("{column}")').hints

    assert [(h["column"], h["kind"], h["matches"]) for h in found] == [
        (column, kind, matches)
    ]
    assert found[0]["share"] == round(matches / len(values), 6)
    assert values[0][3:] not in found[0]["example_masked"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("serial", ["1234-5678-9012", "000-12-3456", "4111 1111 1111 1112"]),
        ("version", ["1.2.3.4", "latest", "none", "2.0"]),
        ("species", ["Gull", "Hawk @ dusk"]),
        ("ratio", ["0.1234567890123456"]),
        ("column_name", ["speed"]),
        ("amount", ["1111111111111111"]),
    ],
)
def test_hints_leave_other_texts_alone(described, column, values):
    rows = ", ".join(f"('{value}')" for value in values)

    assert described(f'SELECT * FROM (VALUES {rows}) AS t("{column}")').hints == []


def test_hints_find_birth_dates_and_numbers_by_name(described):
    found = described(
        "SELECT DATE '1980-01-01' AS date_of_birth, 123456789 AS ssn, 5 AS born_alive, "
        "DATE '2024-01-01' AS seen, NULL::VARCHAR AS email"
    ).hints

    assert [(h["column"], h["kind"]) for h in found] == [
        ("date_of_birth", "date of birth"),
        ("ssn", "social security number"),
    ]
    assert found[0]["example_masked"] == "1•••-••-••"


def test_hints_look_at_every_row(described):
    found = described(
        "SELECT CASE WHEN range = 150000 THEN 'x 123-45-6789' "
        "ELSE 'note ' || range END AS note FROM range(200000)"
    ).hints

    assert [(h["kind"], h["matches"]) for h in found] == [("social security number", 1)]


def test_hints_count_more_than_they_can_look_at(described, monkeypatch):
    monkeypatch.setattr(hints, "MOST_TEXTS", 100)

    (found,) = described(
        "SELECT 'p' || range || '@agency.gov' AS a FROM range(5000)"
    ).hints

    assert (found["matches"], found["share"]) == (5_000, 1.0)


def test_profile_covers_personal_values(described):
    found = described(
        "SELECT 'p' || range || '@agency.gov' AS mail, "
        "CASE WHEN range % 2 = 0 THEN 'call 202-555-0143' ELSE 'none' END AS note "
        "FROM range(50)"
    )

    mail, note = found.columns
    assert all(value["value"].startswith("p•") for value in mail["top"])
    assert [v["value"] for v in note["top"]] == ["c••• •••-•••-••••", "none"]


def test_masked_covers_all_but_the_first():
    assert masked("ann.lee@agency.gov") == "a••.•••@••••••.•••"
    assert masked("(202) 555-0143") == "(2••) •••-••••"
    assert masked("") == ""
    assert len(masked("x" * 100)) == 40


@pytest.mark.parametrize(
    ("name", "kind", "distinct", "expected"),
    [
        ("age", "integer", 90, "age"),
        ("patientSex", "text", 2, "sex"),
        ("RACE_CODE", "integer", 9, "race or ethnicity"),
        ("home_state", "text", 50, "region"),
        ("duty unit", "text", 300, "unit"),
        ("size", "text", 3, "few values"),
        ("size", "text", 1, None),
        ("size", "text", 21, None),
        ("size", "integer", 3, None),
        ("page", "integer", 90, None),
        ("image", "image", 3, None),
    ],
)
def test_subgroups_are_marked(name, kind, distinct, expected):
    column = {"name": name, "type": kind, "distinct": distinct}

    assert kind_of(column) == expected


def test_words_of_names():
    assert words_of("homeState_2 Code") == ["home", "state", "code"]


def test_profile_hides_numbers_that_name_people(described):
    found = described("SELECT 123456700 + range AS ssn, range AS speed FROM range(9)")

    ssn, speed = found.columns
    assert [ssn[key] for key in ("min", "max", "quantiles", "histogram")] == [None] * 4
    assert (ssn["distinct"], ssn["missing"], speed["max"]) == (9, 0, 8)


@pytest.mark.parametrize(
    ("columns", "value", "shown"),
    [
        (["ssn"], "123456789", "1••••••••"),
        (["date_of_birth"], "1980-01-01", "1•••-••-••"),
        (["speed", "note"], "5, ann@agency.gov", "5, •••@••••••.•••"),
        (["speed"], "1200", "1200"),
        (["email"], None, None),
    ],
)
def test_a_value_quoted_from_a_row_is_masked_where_it_may_be_personal(
    columns, value, shown
):
    assert hints.masked_if_personal(columns, value) == shown
