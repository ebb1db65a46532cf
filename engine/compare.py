"""The verb `compare`: what changed from one version of a table to the next.

Columns that came, went or changed their type; rows that were added, removed or
changed; and how far the distribution of each column moved.
"""

from engine import tables
from engine.canonical import Column, columns_of
from engine.compare_columns import shifts
from engine.compare_rows import compare_rows
from engine.folder import EngineError, Folder, Json
from engine.spec import CompareSpec


def run(spec: CompareSpec, folder: Folder) -> Json:
    """Compare `inputs/before.parquet` with `inputs/after.parquet`.

    Returns:
        `schema`: columns added, removed and of another type; `rows`: as
        `compare_rows`; `columns`: as `shifts`.
    """
    before = folder.require_input("before.parquet")
    after = folder.require_input("after.parquet")
    with tables.connect(folder.path, threads=spec.threads) as database:
        old, new = columns_of(database, before), columns_of(database, after)
        names = [column.name for column in new if _named(old, column.name)]
        for name in spec.key:
            if name not in names:
                raise EngineError(
                    f'The key column "{name}" is not in both versions; choose another.'
                )
        folder.progress(0.05, "Comparing rows")
        types = tuple({c.name: c.type for c in columns} for columns in (old, new))
        rows = compare_rows(database, (before, after), (types[0], types[1]), spec)
        folder.progress(0.5, "Comparing columns")
        columns = shifts(
            database,
            (before, after),
            [c for c in new if _named(old, c.name) == c and c.type != "image"],
            lambda ratio: folder.progress(0.5 + ratio / 2, "Comparing columns"),
        )
    folder.log(
        f"{rows['changed']:,} rows changed, {rows['added']:,} added, "
        f"{rows['removed']:,} removed."
    )
    return {"schema": _schema(old, new), "rows": rows, "columns": columns}


def _schema(old: list[Column], new: list[Column]) -> Json:
    return {
        "added": [_plain(c) for c in new if not _named(old, c.name)],
        "removed": [_plain(c) for c in old if not _named(new, c.name)],
        "retyped": [
            {"name": c.name, "before": known.type, "after": c.type}
            for c in new
            if (known := _named(old, c.name)) and known.type != c.type
        ],
    }


def _named(columns: list[Column], name: str) -> Column | None:
    return next((column for column in columns if column.name == name), None)


def _plain(column: Column) -> Json:
    return {"name": column.name, "type": column.type}
