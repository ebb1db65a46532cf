"""Which request or task is being served, for logs and audit events."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class WorkContext:
    """Where the present piece of work came from.

    Args:
        request_id: one id per HTTP request or task, shared by its logs and events;
            empty on the command line.
        channel: web, api, worker or cli.
        route: the name of the address or task, without its arguments.
    """

    request_id: str = ""
    channel: str = "cli"
    route: str = ""


_OUTSIDE = WorkContext()
_current: ContextVar[WorkContext] = ContextVar("work", default=_OUTSIDE)


def current() -> WorkContext:
    """Return the context of the work in progress."""
    return _current.get()


@contextmanager
def working(context: WorkContext) -> Iterator[None]:
    """Bind `context` for the block and clear it afterwards."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


class LogContextFilter(logging.Filter):
    """Put the request id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current().request_id or "-"
        return True
