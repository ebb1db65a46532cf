"""Questions to the audit trail that tests of every app ask."""

from collections.abc import Iterator
from contextlib import contextmanager

from apps.audit.models import AuditEvent


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
