"""A sealer with files of its own, and a trail to seal."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection, transaction

from apps.accounts.actions import service_account
from apps.audit.event_types import EventType
from apps.audit.evidence import write_evidence
from apps.audit.models import AuditEvent, Checkpoint
from apps.audit.record import Entry, record, record_many
from apps.audit.sealer import BATCH, Sealer
from apps.audit.signing import SealerFiles
from apps.audit.transparency.checkpoint import parse_checkpoint
from apps.audit.transparency.note import Verifier, open_note

ORIGIN = "test.example/audit/1"


def sealer_in(folder: Path, *, batch: int = BATCH) -> Sealer:
    files = SealerFiles(folder / "signing.key")
    files.make_key(ORIGIN)
    return Sealer(files, batch=batch)


def happen(
    count: int, *, reason: str = "", changes: dict[str, str] | None = None
) -> list[AuditEvent]:
    """Record events, each in a transaction of its own."""
    worker, events = service_account(), []
    for number in range(count):
        with transaction.atomic():
            events.append(
                record(
                    EventType.ACCOUNT_EDITED,
                    target=worker,
                    project=None,
                    by=worker,
                    changes=changes or {"number": number},
                    reason=reason,
                )
            )
    return events


def happen_at_once(count: int) -> None:
    """Record many events in one transaction."""
    worker = service_account()
    entries = [Entry(worker, None, {"number": number}) for number in range(count)]
    with transaction.atomic():
        for start in range(0, count, BATCH):
            some = entries[start : start + BATCH]
            record_many(EventType.ACCOUNT_EDITED, entries=some, by=worker)


def bundle(**asked) -> bytes:
    """Export everything that is sealed, with its evidence."""
    target = io.BytesIO()
    write_evidence(target, **asked)
    return target.getvalue()


def sealed() -> list[int]:
    """List the keys of the sealed events in the order of the tree."""
    events = AuditEvent.objects.filter(leaf__isnull=False).order_by("leaf__leaf_index")
    return list(events.values_list("pk", flat=True))


def newest(sealer: Sealer) -> tuple[int, bytes]:
    """Open the newest checkpoint: its size and root."""
    note = Checkpoint.objects.latest("size").note
    text, _ = open_note(note, [Verifier(sealer.signer.vkey)])
    stated = parse_checkpoint(text)
    return stated.size, stated.root


def connect() -> psycopg.Connection:
    """Open a second session of the database, to commit when the test says so."""
    facts = connection.get_connection_params()
    known = ("dbname", "user", "password", "host", "port")
    return psycopg.connect(**{name: facts[name] for name in known if name in facts})


TABLES = ("auditevent", "leaf", "tile", "checkpoint", "pruning")


@contextmanager
def tampering() -> Iterator[psycopg.Cursor]:
    """Do what a superuser of the database can do: no trigger stops them."""
    with connect() as session, session.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS kept_{table}")
            cursor.execute(f"CREATE TABLE kept_{table} AS TABLE audit_{table}")
            cursor.execute(f"ALTER TABLE audit_{table} DISABLE TRIGGER USER")
        yield cursor
        _restore_triggers(cursor)


def undo_tampering() -> None:
    """Put the rows back as they were before the last tampering."""
    with connect() as session, session.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE audit_{table} DISABLE TRIGGER USER")
            cursor.execute(f"DELETE FROM audit_{table}")  # noqa: S608
            columns = _written_columns(cursor, table)
            cursor.execute(
                f"INSERT INTO audit_{table} ({columns}) SELECT {columns} "  # noqa: S608
                f"FROM kept_{table}"
            )
            cursor.execute(f"DROP TABLE kept_{table}")
        _restore_triggers(cursor)


def _written_columns(cursor: psycopg.Cursor, table: str) -> str:
    """Name all columns but those that the database computes."""
    cursor.execute(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
        " WHERE table_name = %s AND is_generated = 'NEVER'",
        [f"audit_{table}"],
    )
    return cursor.fetchone()[0]


def _restore_triggers(cursor: psycopg.Cursor) -> None:
    names = [f"audit_{table}" for table in TABLES]
    cursor.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY(%s)",
        [names],
    )
    for table, trigger in cursor.fetchall():
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
