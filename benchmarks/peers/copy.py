"""The peer of ingest: DuckDB copies a CSV to Parquet and looks at nothing else."""

import sys

import duckdb

source, target, threads = sys.argv[1:]
with duckdb.connect(config={"threads": int(threads)}) as database:
    database.execute(
        f"COPY (FROM read_csv('{source}')) "
        f"TO '{target}' (FORMAT PARQUET, COMPRESSION zstd)"
    )
