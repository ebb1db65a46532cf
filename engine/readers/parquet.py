"""Parquet as others wrote it: its types become ours."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

from engine import tables
from engine.folder import EngineError
from engine.readers import raw_bytes
from engine.readers.problems import Problems
from engine.readers.task import Task, check_names

_MAGIC = b"PAR1"
_STORED_AS = {
    "TINYINT": "BIGINT",
    "SMALLINT": "BIGINT",
    "INTEGER": "BIGINT",
    "UTINYINT": "BIGINT",
    "USMALLINT": "BIGINT",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DOUBLE",
    "HUGEINT": "DOUBLE",
    "UHUGEINT": "DOUBLE",
    "FLOAT": "DOUBLE",
    "DECIMAL": "DOUBLE",
    "TIME": "VARCHAR",
    "UUID": "VARCHAR",
    "ENUM": "VARCHAR",
    **{kind: kind for kind in tables.TYPES if kind != "BLOB"},
}


def read(task: Task) -> dict[str, str]:
    """Write a Parquet file anew as Parquet; return the SQL type of each column.

    Raises:
        EngineError: broken, also something else, or with columns of several values.
    """
    check_bytes(task.path)
    task.progress(0.1, "Writing Parquet")
    return write(task, f"read_parquet({tables.text(task.path)})")


def write(task: Task, source: str) -> dict[str, str]:
    """Write an SQL table that already has types; return ours.

    Raises:
        EngineError: no rows, too many, or columns that we cannot store.
    """
    described = task.database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    columns = check_names([row[0] for row in described])
    types = stored_types(dict(zip(columns, (row[1] for row in described), strict=True)))
    renamed = ", ".join(tables.name(column) for column in columns)
    task.check_row_count(task.write(f"{source} AS source({renamed})", types))
    return types


def stored_types(found: dict[str, str]) -> dict[str, str]:
    """Choose the type to store each column in.

    Args:
        found: SQL type by column.

    Raises:
        EngineError: some hold more than a single value; names each.
    """
    problems, types = Problems(), {}
    for column, kind in found.items():
        plain = kind.split("(")[0].split(" ")[0].removesuffix("_NS")
        plain = plain.removesuffix("_MS").removesuffix("_S")
        if kind.endswith("]") or plain not in _STORED_AS:
            problems.add(
                f'Column "{column}" is of the type {kind[:60]}, which is not a single '
                "value; split it into plain columns or leave it out.",
                column=column,
                text=kind,
            )
        else:
            types[column] = _STORED_AS[plain]
    problems.check(hint="")
    return types


def check_bytes(path: Path) -> None:
    """Check that the file is Parquet from its first byte to its last.

    Raises:
        EngineError: it is empty, cut short, something else or two things at once.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        file.seek(max(0, size - 8))
        tail = file.read(8)
    if not head:
        raise EngineError("The file is empty; upload one with data.")
    if not head.startswith(_MAGIC):
        found = raw_bytes.kind_of(head) or "something else"
        raise EngineError(
            f"The file is {found}, not Parquet; upload it under its true name or "
            "write it again."
        )
    if not tail.endswith(_MAGIC):
        raise EngineError("The Parquet file was cut short; write it again.")
    (footer,) = struct.unpack("<I", tail[:4])
    if not 0 < footer <= size - 12:
        raise EngineError(
            f"The Parquet file says that its footer has {footer:,} bytes, which do "
            "not fit into the file; write it again."
        )
    check_no_zip(path, "Parquet")


def check_no_zip(path: Path, kind: str) -> None:
    """Check that a zip reader would find nothing in the file.

    Raises:
        EngineError: it is a zip archive as well.
    """
    with suppress(zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = archive.namelist()
            if members:
                raise EngineError(
                    f"The file is {kind} and a zip archive at once (it holds "
                    f'"{members[0][:100]}"); write the table again.'
                )
