"""The one permission table, asked of the running portal."""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.addresses import ROWS, send
from tests.permission_rows import PEOPLE, Row


class _Undo(Exception):
    """Rolls back what one request changed, so that each person finds the same world."""


def _savepoint() -> transaction.Atomic:
    """Part requests as the test parts tests, unseen by what must commit itself."""
    savepoint = transaction.atomic()
    savepoint._from_testcase = True
    return savepoint


def _ask(client: Client, row: Row, arguments: dict, data) -> int:
    try:
        with _savepoint():
            response = send(client, row, arguments, data)
            raise _Undo
    except _Undo:
        response.getvalue()  # a file is closed when it was read to its end
        return response.status_code


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_person_gets_the_answer_of_the_table(row, world, client_of, api_of):
    arguments, data = row.make(world)
    door = api_of if row.is_api else client_of
    expected = {person: row.status_for(person) for person in PEOPLE}

    found = {
        person: _ask(door(getattr(world, person)), row, arguments, data)
        for person in PEOPLE
    }
    without_account = _ask(Client(), row, arguments, data)

    assert found == expected
    assert without_account == (row.anonymous or (401 if row.is_api else 302))


def _names(resolver: URLResolver, space: str = "") -> set[str]:
    names = set()
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            names.add(f"{space}{pattern.name}")
        else:
            below = f"{space}{pattern.namespace}:" if pattern.namespace else space
            names |= _names(pattern, below)
    return names


def test_every_address_is_in_the_table():
    missing = _names(get_resolver()) - {row.name for row in ROWS}

    assert not missing, f"Add rows in tests/permission_rows for: {sorted(missing)}"
