"""What the tables of the trail refuse, whoever asks: the catalog tells, and a trial."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db import DatabaseError, connection, transaction

from apps.audit.grants import EVENTS

REFUSED: Final = (
    "42501",
    "25006",
)  # no right or a trigger; a replica, which only reads
TOO_BUSY: Final = ("55P03", "57014")  # a lock or the time limit

ALWAYS: Final = "A"  # also in sessions that replicate

# Tables that only grow, with a column to try an edit on.
APPEND_ONLY: Final = {
    EVENTS: "body",
    "audit_leaf": "event_pk",
    "audit_tile": "hashes",
    "audit_checkpoint": "note",
    "audit_cosignature": "line",
    "audit_timestamp": "token",
    "audit_segment": "last_leaf",
    "audit_pruning": "approved_leaf",
}
# Tables of which a segment may go as a whole, in the transaction that prunes it.
PRUNED: Final = (EVENTS, "audit_leaf", "audit_tile")
# Tables whose rows change and stay.
KEPT: Final = ("audit_legalhold", "audit_prunerequest")
# Keys may end, once, and change in no other way.
ENDING: Final = {"audit_key": "vkey"}
# Tables whose rows may go, but never change.
ERASABLE: Final = {"audit_disclosure": "value"}
GUARDED: Final = APPEND_ONLY | ERASABLE | ENDING
# The triggers, as Postgres words them.
_REFUSE: Final = "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
_ONLY_PRUNED: Final = (
    "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT"
    " EXECUTE FUNCTION audit_only_pruned()"
)
TRIGGERS: Final = {
    (EVENTS, "audit_transaction"): (
        f"BEFORE INSERT ON {EVENTS} FOR EACH ROW"
        " EXECUTE FUNCTION audit_note_transaction()"
    ),
    **{
        (table, "audit_append_only"): (
            f"BEFORE DELETE OR UPDATE OR TRUNCATE ON {table} {_REFUSE}"
        )
        for table in APPEND_ONLY
    },
    **{
        (table, "audit_append_only"): f"BEFORE UPDATE OR TRUNCATE ON {table} {_REFUSE}"
        for table in ERASABLE
    },
    **{
        (table, "audit_append_only"): f"BEFORE DELETE OR TRUNCATE ON {table} {_REFUSE}"
        for table in KEPT
    },
    **{
        (table, "audit_only_pruned"): f"AFTER DELETE ON {table} {_ONLY_PRUNED}"
        for table in PRUNED
    },
    ("audit_pruning", "audit_may_prune"): (
        "BEFORE INSERT ON audit_pruning FOR EACH ROW EXECUTE FUNCTION audit_may_prune()"
    ),
    ("audit_key", "audit_append_only"): (
        "BEFORE DELETE OR UPDATE OF vkey, from_size, created_at OR TRUNCATE"
        f" ON audit_key {_REFUSE}"
    ),
    ("audit_key", "audit_ends_once"): (
        "BEFORE UPDATE OF to_size ON audit_key FOR EACH ROW"
        " WHEN (old.to_size IS NOT NULL)"
        " EXECUTE FUNCTION audit_is_append_only()"
    ),
}
# What the triggers call, by the SHA-256 of their source.
FUNCTIONS: Final = {
    "audit_is_append_only": (
        "8a54f69d4ffe34c3027767c38fc031a7f8d5e36ec273a712e3bab0b119338615"
    ),
    "audit_may_prune": (
        "325f28551a90805f4e15123e63129060f5a42a741ac962d3f1b2ffbd914c615e"
    ),
    "audit_only_pruned": (
        "3f57362ac56db03ac37ec738633660b0e7125a009902456e4dc5606f92829873"
    ),
    "audit_note_transaction": (
        "7533b7646ace7132c53774ccaf93d2ed8dc6f0144cf005637bd1ca883babd852"
    ),
}

_TRIGGERS: Final = """
SELECT relname, tgname, tgenabled::text,
    split_part(pg_get_triggerdef(pg_trigger.oid, true), tgname || ' ', 2)
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND relname = ANY(%s) AND pg_table_is_visible(pg_class.oid)
"""
_FUNCTIONS: Final = """
SELECT proname, encode(sha256(convert_to(prosrc, 'UTF8')), 'hex') FROM pg_proc
WHERE proname = ANY(%s) AND pg_function_is_visible(oid)
"""
_OBSTACLES: Final = """
SELECT relname, relhasrules, relrowsecurity FROM pg_class
WHERE relname = ANY(%s) AND pg_table_is_visible(oid) AND (relhasrules OR relrowsecurity)
ORDER BY relname
"""


def flaws() -> list[str]:
    """List what is not as the migrations made it; any of it is somebody's deed."""
    return [*_flaws_of_triggers(), *_flaws_of_tables()]


def obeyed() -> list[str]:
    """Try to edit and to remove, without touching a row; list what was not refused.

    To empty a table would lock it, so the catalog answers for that.
    """
    deeds = [
        f"UPDATE {table} SET {column} = {column} WHERE false"  # noqa: S608
        for table, column in GUARDED.items()
    ]
    deeds += [
        f"DELETE FROM {table} WHERE false"  # noqa: S608
        for table in (*APPEND_ONLY, *ENDING, *KEPT)
    ]
    return [
        deed.removesuffix(" WHERE false") for deed in deeds if not _is_refused(deed)
    ]


def triggers() -> dict[tuple[str, str], tuple[str, str]]:
    """Give the triggers that there are: when each is awake, and its definition."""
    return {row[:2]: row[2:] for row in _rows(_TRIGGERS, [[*GUARDED, *KEPT]])}


def functions() -> dict[str, str]:
    """Give the digests of what the triggers call."""
    return dict(_rows(_FUNCTIONS, [list(FUNCTIONS)]))


def _flaws_of_triggers() -> Iterator[str]:
    found = triggers()
    for (table, trigger), definition in TRIGGERS.items():
        enabled, actual = found.get((table, trigger), ("", ""))
        if not enabled:
            yield f"The trigger {trigger} of {table} is missing."
        elif enabled != ALWAYS:
            yield f"The trigger {trigger} of {table} is switched off."
        elif actual != definition:
            yield f"The trigger {trigger} of {table} was exchanged."
    for table, trigger in sorted(found.keys() - TRIGGERS.keys()):
        yield f"A trigger {trigger} was added to {table}."
    for name, _ in sorted(FUNCTIONS.items() - functions().items()):
        yield f"The function {name}, which triggers call, was exchanged."


def _flaws_of_tables() -> Iterator[str]:
    for table, has_rules, hides_rows in _rows(_OBSTACLES, [[*GUARDED, *KEPT]]):
        if has_rules:
            yield f"A rule was added to {table}: it may do something else than asked."
        if hides_rows:
            yield f"Row security is on for {table}: it may hide rows."


def _is_refused(deed: str) -> bool:
    """Try something and undo it, without ever waiting for or holding up others.

    What could not be tried in time is left to the catalog.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', '200ms', true),"
                " set_config('statement_timeout', '1s', true)"
            )
            cursor.execute(deed)
            transaction.set_rollback(True)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") in REFUSED + TOO_BUSY:
            return True
        raise
    return False


def _rows(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
