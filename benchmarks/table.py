"""Writes a table of 20 columns, the same each time: `... PATH {CSV|PARQUET} ROWS`."""

import sys

import duckdb

NUMBERS = [f"reading_{place:02}" for place in range(1, 11)]
COUNTS = [f"count_{place}" for place in range(1, 5)]
CATEGORIES = {"species": 40, "airport": 200, "phase": 8, "operator": 60}
TARGET = "damage"
COLUMNS = [
    *(f"round(random() * 1000, 4) AS {name}" for name in NUMBERS),
    *(f"CAST(random() * 500 AS BIGINT) AS {name}" for name in COUNTS),
    *(f"'kind ' || floor(random() * {n}) AS {name}" for name, n in CATEGORIES.items()),
    "DATE '2015-01-01' + CAST(random() * 3650 AS INTEGER) AS seen_on",
]
IS_DAMAGED = "reading_01 + reading_02 + 2 * count_1 + 600 * random() > 2000"

if __name__ == "__main__":
    path, kind, rows = sys.argv[1:]
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute("SELECT setseed(0.5)")
        database.execute(
            f"COPY (SELECT *, CASE WHEN {IS_DAMAGED} THEN 'yes' ELSE 'no' END "  # noqa: S608
            f"AS {TARGET} FROM (SELECT {', '.join(COLUMNS)} FROM range({rows}))) "
            f"TO '{path}' (FORMAT {kind})"
        )
