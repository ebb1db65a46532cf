"""What somebody can do who owns the tables: go past what the database refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_AWAKE = """
SELECT tgrelid::regclass, tgname FROM pg_trigger
WHERE tgenabled = 'A' AND tgname ~ '^(approvals|validation)_'
"""


@contextmanager
def past_the_guards() -> Iterator[None]:
    """Put the triggers of plans and reports to sleep, as the tables' owner could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(_AWAKE)
        awake = cursor.fetchall()
        for table, name in awake:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        yield
        for table, name in awake:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
