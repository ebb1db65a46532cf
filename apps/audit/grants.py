"""Who may do what with the tables: a role of the database for each kind of process.

The owner of the tables migrates and is used for nothing else. The roles of the running
processes get what is listed here, so that whoever takes over a process can add false
events at most, and neither change nor remove true ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

EVENTS: Final = "audit_auditevent"
PREFIX: Final = "audit_"
ACCOUNTS: Final = "accounts_user"  # the sealer's events name who it acts for
FILLED_BY_THE_DATABASE: Final = ("id", "xid", "words")
READ: Final = ("SELECT",)
ADD: Final = ("SELECT", "INSERT")
KEEP: Final = ("SELECT", "INSERT", "UPDATE")
EVERYTHING: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Rights:
    """What the roles may do with one table; the owner may do anything.

    Args:
        app: web, worker and clock.
        sealer: the process that signs.
        auditor: a person with a connection of their own, if the agency wants that.
    """

    app: tuple[str, ...] = READ
    sealer: tuple[str, ...] = READ
    auditor: tuple[str, ...] = READ


# A table of the trail that is missing here is closed to everybody but the owner.
TRAIL: Final = {
    EVENTS: Rights(app=ADD, sealer=ADD),
    "audit_leaf": Rights(sealer=ADD),
    "audit_tile": Rights(sealer=ADD),
    "audit_checkpoint": Rights(sealer=ADD),
    "audit_key": Rights(sealer=KEEP),  # a trigger lets it only end a key
    "audit_head": Rights(sealer=KEEP),
    "audit_publication": Rights(sealer=KEEP),
    "audit_cosignature": Rights(sealer=ADD),
    "audit_timestamp": Rights(sealer=ADD),
    "audit_savedfilter": Rights(app=EVERYTHING, sealer=(), auditor=()),
    "audit_streamposition": Rights(app=KEEP, auditor=()),
    "audit_disclosure": Rights(
        app=("SELECT", "INSERT", "DELETE"), sealer=ADD, auditor=()
    ),
    "audit_segment": Rights(app=ADD),
    "audit_prunerequest": Rights(app=KEEP),
    "audit_legalhold": Rights(app=KEEP),
    "audit_pruning": Rights(),
}
# Removes what two people agreed to, with the rights of the owner, once it checked that.
PRUNE: Final = "audit_prune_segment(bigint, uuid)"

_TABLES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = ANY(%s::"char"[])
    AND pg_has_role(relowner, 'USAGE')
ORDER BY relname
"""
_COLUMNS: Final = """
SELECT attname FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    AND attname <> ALL(%s)
ORDER BY attnum
"""
_CREATE: Final = {
    "app": "CREATE ROLE {} LOGIN",
    "sealer": "CREATE ROLE {} LOGIN",
    "auditor": "CREATE ROLE {0} LOGIN;"
    " ALTER ROLE {0} SET default_transaction_read_only = on",
}
# Only a database that was given to the roles once; others may share the server.
_IN_USE: Final = """
SELECT FROM pg_roles
WHERE rolname = %s AND rolname <> current_user
    AND has_table_privilege(oid, to_regclass(%s), 'SELECT')
"""
_UNFIT: Final = """
SELECT rolname FROM pg_roles
WHERE rolname = ANY(%s)
    AND (rolsuper OR pg_has_role(oid, current_user::regrole, 'MEMBER'))
"""


class UnfitRole(Exception):
    """A role cannot be limited; the message says which and why."""


def role_names() -> dict[str, str]:
    """Name the roles of the database: app, sealer, auditor."""
    names: dict[str, str] = settings.DATABASE_ROLES
    return names


@transaction.atomic
def create_roles() -> list[str]:
    """Create the roles that are missing, and set the passwords that are given.

    Returns:
        The names of those created.

    Raises:
        UnfitRole: a role is the owner itself, or may act as the owner.
    """
    names, passwords = role_names(), settings.DATABASE_ROLE_PASSWORDS
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)",
            [list(names.values())],
        )
        known = {name for (name,) in cursor.fetchall()}
        _require_fit(cursor, sorted(known))
        for kind, name in names.items():
            if name not in known:
                _execute(cursor, _CREATE[kind], sql.Identifier(name))
            if passwords[kind]:
                _set_password(cursor, name, passwords[kind])
    return sorted(set(names.values()) - known)


@transaction.atomic
def grant_rights() -> None:
    """Give each role exactly its rights on the tables that there are now."""
    with connection.cursor() as cursor:
        _require_fit(cursor, list(role_names().values()))
        tables, sequences = _owned(cursor, "rpvm"), _owned(cursor, "S")
        cursor.execute(_COLUMNS, [EVENTS, list(FILLED_BY_THE_DATABASE)])
        columns = [name for (name,) in cursor.fetchall()]
        for statement in [
            *_closed(tables, sequences),
            *_opened(tables, sequences),
            *_opened_trail(tables, columns),
            *_opened_function(),
        ]:
            cursor.execute(statement.as_string())


def renew_rights(**_: Any) -> None:
    """Give the tables of a migration to the roles, where roles are in use.

    Nothing is given in advance: a new table is closed until this has run, and one of
    the trail stays closed until it is listed above.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_USE, [role_names()["app"], EVENTS])
        is_in_use = cursor.fetchone() is not None
    if is_in_use:
        grant_rights()


def _require_fit(cursor: Any, names: list[str]) -> None:
    cursor.execute(_UNFIT, [names])
    if found := cursor.fetchone():
        raise UnfitRole(
            f"The role {found[0]} is a superuser or may act as the owner of the "
            "tables, so nothing can be kept from it. Name another role."
        )


def _set_password(cursor: Any, name: str, password: str) -> None:
    """Set it in the form that the server keeps, so that no log shows it."""
    kept = connection.connection.pgconn.encrypt_password(
        password.encode(), name.encode()
    )
    _execute(
        cursor,
        "ALTER ROLE {} PASSWORD {}",
        sql.Identifier(name),
        sql.Literal(kept.decode()),
    )


def _execute(cursor: Any, statement: str, *parts: sql.Composable) -> None:
    cursor.execute(sql.SQL(statement).format(*parts).as_string())


def _owned(cursor: Any, kinds: str) -> list[str]:
    cursor.execute(_TABLES, [list(kinds)])
    return [name for (name,) in cursor.fetchall()]


def _closed(tables: list[str], sequences: list[str]) -> Iterator[sql.Composed]:
    """Take every right away; nobody notices before the end of the transaction."""
    names, public = _listed(role_names().values()), sql.SQL("PUBLIC")
    database, schema = (
        sql.Identifier(_told("database")),
        sql.Identifier(_told("schema")),
    )
    trail = [name for name in tables if name.startswith(PREFIX)]
    yield _revoke("ALL", "TABLE", _listed(tables), names)
    yield _revoke("ALL", "TABLE", _listed(trail), public)
    yield _revoke("ALL", "SEQUENCE", _listed(sequences), names)
    yield _revoke("CREATE", "SCHEMA", schema, public)
    yield _grant("CONNECT", "DATABASE", database, names)
    yield _grant("USAGE", "SCHEMA", schema, names)


def _opened(tables: list[str], sequences: list[str]) -> Iterator[sql.Composed]:
    """Open what is no part of the trail to the application."""
    app = sql.Identifier(role_names()["app"])
    ordinary = [name for name in tables if not name.startswith(PREFIX)]
    counters = [name for name in sequences if not name.startswith(PREFIX)]
    yield _grant(", ".join(EVERYTHING), "TABLE", _listed(ordinary), app)
    if counters:
        yield _grant("USAGE, SELECT", "SEQUENCE", _listed(counters), app)
    sealer = sql.Identifier(role_names()["sealer"])
    yield _grant("SELECT", "TABLE", sql.Identifier(ACCOUNTS), sealer)


def _opened_trail(tables: list[str], columns: list[str]) -> Iterator[sql.Composed]:
    """Open the trail as far as each role needs it."""
    own_columns = sql.SQL("({})").format(_listed(columns))
    for table in sorted(TRAIL.keys() & set(tables)):
        for kind, name in role_names().items():
            for right in getattr(TRAIL[table], kind):
                is_part = (table, right) == (EVENTS, "INSERT")
                yield sql.SQL("GRANT {} {} ON TABLE {} TO {}").format(
                    sql.SQL(right),
                    own_columns if is_part else sql.SQL(""),
                    sql.Identifier(table),
                    sql.Identifier(name),
                )


def _opened_function() -> Iterator[sql.Composed]:
    """Let the application, and no other role, ask for what is agreed to be removed."""
    prune, roles = sql.SQL(PRUNE), _listed(role_names().values())
    yield _revoke("ALL", "FUNCTION", prune, sql.SQL("PUBLIC"))
    yield _revoke("ALL", "FUNCTION", prune, roles)
    yield _grant("EXECUTE", "FUNCTION", prune, sql.Identifier(role_names()["app"]))


def _told(what: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT current_{what}()")
        found: str = cursor.fetchone()[0]
    return found


def _listed(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _grant(
    rights: str, kind: str, objects: sql.Composable, roles: sql.Composable
) -> sql.Composed:
    return sql.SQL("GRANT {} ON {} {} TO {}").format(
        sql.SQL(rights), sql.SQL(kind), objects, roles
    )


def _revoke(
    rights: str, kind: str, objects: sql.Composable, roles: sql.Composable
) -> sql.Composed:
    return sql.SQL("REVOKE {} ON {} {} FROM {}").format(
        sql.SQL(rights), sql.SQL(kind), objects, roles
    )
