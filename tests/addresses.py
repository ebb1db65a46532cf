"""The rows of the permission table, and how each is asked."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests import permission_rows
from tests.permission_rows import PEOPLE, Row

SUCCESSES = range(200, 400)
ROWS: list[Row] = [
    row
    for module in pkgutil.iter_modules(permission_rows.__path__)
    for row in importlib.import_module(f"tests.permission_rows.{module.name}").ROWS
]


def allowed_person(row: Row) -> str | None:
    """Name the first person to whom the table promises success."""
    return next((who for who in PEOPLE if row.status_for(who) in SUCCESSES), None)


# What changes something, when somebody asks who may.
CHANGES = [row for row in ROWS if row.method != "get" and allowed_person(row)]


def send(
    client: Client, row: Row, arguments: dict[str, Any], data: Any
) -> HttpResponse:
    """Send the request of `row`."""
    kind = row.headers.get("Content-Type", "application/json")
    content = {"content_type": kind, "headers": row.headers}
    as_json = row.is_api and row.method != "get" and not row.multipart
    path = reverse(row.name, kwargs=arguments) + (f"?{row.query}" if row.query else "")
    ask = getattr(client, row.method)
    answer: HttpResponse = ask(
        path, {} if data is None else data, **(content if as_json else {})
    )
    return answer
