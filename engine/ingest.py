"""The verb `ingest`: an uploaded table becomes typed Parquet with a profile.

Values stay what they are: a formula is text, `02139` is text and not a number, and
yes/no is text and not a boolean. Only what cannot be computed with becomes missing:
blank text, numbers that are not finite, dates outside the years 1 to 9999.
"""

from importlib import import_module
from pathlib import Path

import duckdb

from engine import seal, tables
from engine.contract import hold_against_contract
from engine.fingerprint import fingerprint
from engine.folder import EngineError, Folder, Json
from engine.profile import profile
from engine.readers import compression
from engine.readers.task import Task
from engine.spec import IngestSpec

# Imported in turn: reading a CSV shall not wait for libraries that read images.
_READERS = {
    "csv": "csv_table",
    "tsv": "csv_table",
    "jsonl": "jsonl",
    "parquet": "parquet",
    "arrow": "arrow",
    "images": "images",
}


def run(spec: IngestSpec, folder: Folder) -> Json:
    """Write `outputs/data.parquet` and describe it.

    Raises:
        EngineError: the file cannot be read; the message and its details name it.
    """
    try:
        return _run(spec, folder)
    except EngineError as error:
        raise EngineError(
            f"{spec.original_name}: {error.message}",
            code=error.code,
            details=[{"file": spec.original_name, **place} for place in error.details],
        ) from error


def _run(spec: IngestSpec, folder: Folder) -> Json:
    target = folder.outputs / "data.parquet"
    types = _convert(spec, folder, target)
    sealed = (
        seal.split_off(spec.seal, folder, target, threads=spec.threads)
        if spec.seal
        else None
    )
    with tables.connect(folder.path, threads=spec.threads) as database:
        held = hold_against_contract(database, spec, target)
        described = profile(
            database,
            target,
            {column: tables.TYPES[kind] for column, kind in types.items()},
            threads=spec.threads,
            on_progress=lambda ratio: folder.progress(
                0.6 + ratio * 0.3, "Describing columns"
            ),
        )
        prints = fingerprint(
            database,
            target,
            lambda ratio: folder.progress(0.9 + ratio * 0.1, "Fingerprinting"),
            threads=spec.threads,
        )
    folder.log(f"{described.row_count:,} rows in {len(described.columns)} columns.")
    return {
        "row_count": described.row_count,
        "byte_count": target.stat().st_size,
        "schema": [
            {"name": c["name"], "type": c["type"], "nullable": c["missing"] > 0}
            for c in described.columns
        ],
        "profile": {
            "columns": described.columns,
            "correlations": described.correlations,
        },
        "hints": described.hints,
        "sealed": sealed,
        "fingerprint": prints,
        "contract": held,
    }


def _convert(spec: IngestSpec, folder: Folder, target: Path) -> dict[str, str]:
    """Write the Parquet file and return the SQL type of each column."""
    original = folder.require_input("original")
    if spec.is_packed:
        original = compression.unpack(spec, folder, original)
    reader = import_module(f"engine.readers.{_READERS[spec.format]}")
    try:
        with tables.connect(folder.path, threads=spec.threads) as database:
            types: dict[str, str] = reader.read(
                Task(database, spec, folder, original, target)
            )
            return types
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].replace(f"{folder.inputs}/", "")
        raise EngineError(
            f"The file cannot be read as {spec.format} ({reason}); write it again."
        ) from error
