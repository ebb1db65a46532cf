"""Questions to the audit trail that tests of every app ask."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from apps.audit.models import AuditEvent


class FailedHalfWay(Exception):
    """The database broke when the event of a change was written."""


@contextmanager
def nothing_recorded() -> Iterator[None]:
    """Hold that the block leaves no event."""
    before = AuditEvent.objects.count()
    yield
    assert AuditEvent.objects.count() == before


@contextmanager
def one_event(event_type: str) -> Iterator[list[AuditEvent]]:
    """Hold that the block leaves one event, of this type; the list then has it."""
    before, found = AuditEvent.objects.count(), []
    yield found
    found += AuditEvent.objects.order_by("pk")[before:]
    assert [event.type for event in found] == [event_type]


@contextmanager
def no_room_for_events() -> Iterator[None]:
    """Break every write of an event, at the border to the database."""

    def refuse(execute, sql, params, many, context):
        if sql.startswith("INSERT INTO audit_auditevent"):
            raise FailedHalfWay
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield
