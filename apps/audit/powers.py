"""What a role of the database may do with the trail, against what it needs to."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

from apps.audit.grants import EVENTS, PREFIX, TRAIL, role_names

ALL_RIGHTS: Final = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"]

Right = tuple[str, str]  # table, what may be done with it

_RIGHTS: Final = """
SELECT relname, wanted FROM pg_class, unnest(%(rights)s::text[]) AS wanted
WHERE starts_with(relname, %(prefix)s) AND relkind IN ('r', 'p')
    AND pg_table_is_visible(oid)
    AND CASE WHEN wanted IN ('SELECT', 'INSERT', 'UPDATE')
        THEN has_any_column_privilege(%(role)s::name, oid, wanted)
        ELSE has_table_privilege(%(role)s::name, oid, wanted) END
"""
_POWERS: Final = """
SELECT
    coalesce(pg_has_role(role.oid, events.relowner, 'MEMBER'), false),
    role.rolsuper OR role.rolcreaterole
        OR pg_has_role(role.oid, 'pg_write_server_files', 'MEMBER')
        OR pg_has_role(role.oid, 'pg_execute_server_program', 'MEMBER'),
    coalesce(has_column_privilege(role.oid, events.oid, 'id', 'INSERT')
        OR has_column_privilege(role.oid, events.oid, 'xid', 'INSERT'), false),
    has_parameter_privilege(role.oid, 'session_replication_role', 'SET'),
    has_schema_privilege(role.oid, current_schema(), 'CREATE')
FROM pg_roles AS role LEFT JOIN pg_class AS events ON events.oid = to_regclass(%s)
WHERE role.rolname = %s
"""
NOT_OWNER: Final = "The process connects as somebody who does not own the tables."
# What holds while a role lacks the power, and what is possible while it has it.
_SENTENCES: Final = (
    (
        NOT_OWNER,
        "{} acts as the owner of the tables and could switch the protection off.",
    ),
    (
        "It cannot give itself rights.",
        "{} is a superuser, can make roles, or reaches the files of the server.",
    ),
    (
        "It cannot choose the number or the transaction of an event.",
        "{} can give an event a number of its choice.",
    ),
    (
        "It cannot ask the database to pass over ordinary triggers.",
        "{} may set session_replication_role; the triggers of the trail stay awake.",
    ),
    (
        "It cannot put tables or functions beside those of the portal.",
        "{} may create objects in the schema.",
    ),
)


def current_role() -> str:
    """Name the role that this process connects as."""
    name: str = _rows("SELECT current_user::text", [])[0][0]
    return name


def exists(role: str) -> bool:
    """Say whether the database server knows a role."""
    return bool(_rows("SELECT FROM pg_roles WHERE rolname = %s", [role]))


def powers_of(role: str) -> list[tuple[str, str]]:
    """Judge a role.

    Returns:
        What should hold of it, each with what is possible instead, or nothing.
    """
    [found] = _rows(_POWERS, [EVENTS, role])
    judged = [
        (name, gap.format(role) if has_it else "")
        for (name, gap), has_it in zip(_SENTENCES, found, strict=True)
    ]
    extra = _in_words(rights_of(role) - _needed_by(role))
    if any(found[:2]):
        extra = "do anything with the tables of the trail"
    gap = f"{role} may {extra}; it does not need to." if extra else ""
    return [*judged, ("It has the rights on the trail that it needs, no others.", gap)]


def lacks(role: str) -> str:
    """Say what a role needs and may not do; empty when nothing."""
    present = {table for table, _ in rights_of(current_role())}
    lacking = {
        (table, right)
        for table, right in _needed_by(role) - rights_of(role)
        if table in present
    }
    return f"{role} needs {_in_words(lacking)} and may not." if lacking else ""


def rights_of(role: str) -> set[Right]:
    """List what a role may do with the tables of the trail, or with columns of them."""
    parameters = {"rights": ALL_RIGHTS, "prefix": PREFIX, "role": role}
    return set(_rows(_RIGHTS, parameters))


def _needed_by(role: str) -> set[Right]:
    """List what the kind of process needs; whoever is no role of ours runs the web."""
    kinds = [kind for kind, name in role_names().items() if name == role] or ["app"]
    return {
        (table, right)
        for table, rights in TRAIL.items()
        for kind in kinds
        for right in getattr(rights, kind)
    }


def _in_words(rights: set[Right]) -> str:
    tables: dict[str, list[str]] = {}
    for table, right in sorted(rights):
        tables.setdefault(table, []).append(right)
    return "; ".join(f"{', '.join(found)} {table}" for table, found in tables.items())


def _rows(statement: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
