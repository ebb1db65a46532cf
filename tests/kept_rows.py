"""Rows that actions made once and that later tests get back in one statement."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from psycopg import sql

Rows = dict[str, dict[str, Any]]  # of a table, by their own text


class _Undo(Exception):
    """Rolls back what was made to be looked at."""


def statement_for_rows_of(make: Callable[[], Any]) -> tuple[Any, str]:
    """Let `make` add rows, note them, and take everything back.

    Returns:
        What `make` gave, and the statement that adds the same rows again.
    """
    try:
        with transaction.atomic():
            before = _tables()
            made = make()
            after = _tables()
            raise _Undo
    except _Undo:
        pass
    for table, rows in before.items():
        assert rows.keys() <= after[table].keys(), f"rows of {table} were changed"
    return made, "\n".join(
        _insert(table, [row for text, row in rows.items() if text not in before[table]])
        for table, rows in after.items()
        if len(rows) > len(before[table])
    )


def put_back(statement: str) -> None:
    """Add the rows of a statement to the tables."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def _tables() -> dict[str, Rows]:
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT to_jsonb(row)::text FROM "{table}" AS row')  # noqa: S608  # our own tables
            found[table] = {text: json.loads(text) for (text,) in cursor.fetchall()}
    return found


def _insert(table: str, rows: list[dict[str, Any]]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND table_schema = 'public' AND is_generated = 'NEVER'",
            [table],
        )
        columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in cursor)
        return (
            sql.SQL(
                "INSERT INTO {table} ({columns}) SELECT {columns}"
                " FROM jsonb_populate_recordset(NULL::{table}, {rows});"
            )
            .format(
                table=sql.Identifier(table),
                columns=columns,
                rows=sql.Literal(json.dumps(rows)),
            )
            .as_string(connection.connection)
        )
