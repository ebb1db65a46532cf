"""The roles of the database, real ones, for the database of one test process."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from apps.audit import protection

PASSWORD = "a password of this test"
KINDS = ("app", "sealer", "auditor")


@pytest.fixture
def roles(committed, settings) -> Iterator[dict[str, str]]:
    """Separate the roles, which the whole server knows, and drop them afterwards."""
    names = {kind: f"{kind}_of_{connection.settings_dict['NAME']}" for kind in KINDS}
    settings.DATABASE_ROLES = names
    settings.DATABASE_ROLE_PASSWORDS = dict.fromkeys(KINDS, PASSWORD)
    call_command("protect_audit_trail", stdout=StringIO())
    yield names
    with connection.cursor() as cursor:
        for name in names.values():
            known = sql.Identifier(name)
            for statement in ("DROP OWNED BY {}", "DROP ROLE {}"):
                cursor.execute(sql.SQL(statement).format(known).as_string())


@contextmanager
def session_of(name: str) -> Iterator[psycopg.Connection]:
    """Open a session of its own for a role."""
    facts = connection.get_connection_params()
    with psycopg.connect(
        host=facts["host"],
        port=facts["port"],
        dbname=facts["dbname"],
        user=name,
        password=PASSWORD,
        autocommit=True,
    ) as session:
        yield session


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Let the portal in this process connect as a role."""
    facts = connection.settings_dict
    before = {key: facts[key] for key in ("USER", "PASSWORD")}
    connection.close()
    facts.update(USER=name, PASSWORD=PASSWORD)
    protection.known.clear()
    try:
        yield
    finally:
        connection.close()
        facts.update(before)
        protection.known.clear()
