"""How much a request asks of the database."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


def queries_of(ask: Callable[[], Any]) -> int:
    """Count the queries of a call, so that two sizes of a list can be compared.

    A first call, not counted, fills what the process remembers.
    """
    ask()
    with CaptureQueriesContext(connection) as queries:
        ask()
    return len(queries)
