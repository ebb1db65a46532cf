"""No change without its event: the permission table, asked of the audit trail."""

import pytest

from apps.audit.models import AuditEvent
from tests.addresses import CHANGES, allowed_person, send
from tests.permission_rows import Row

# A request that changes nothing governed, and why.
WITHOUT_EVENT = {
    "audit:delete_filter": "a filter that one keeps for oneself governs nothing",
    "audit:save_filter": "a filter that one keeps for oneself governs nothing",
    "accounts:sign_out": "ends a session; what is kept is that one began",
    "training:launch_training": "the first of two steps: answers with the second form",
}


def test_every_exception_is_needed():
    assert set(WITHOUT_EVENT) <= {row.name for row in CHANGES}


@pytest.mark.parametrize("row", CHANGES, ids=str)
def test_every_change_leaves_events_of_its_maker(row: Row, world, client_of, api_of):
    person = getattr(world, allowed_person(row) or "")
    arguments, data = row.make(world)
    client = (api_of if row.is_api else client_of)(person)
    before = AuditEvent.objects.order_by("pk").last()

    answer = send(client, row, arguments, data)

    events = AuditEvent.objects.filter(pk__gt=before.pk if before else 0)
    found = {(event.actor_id, event.channel) for event in events}
    channel = "api" if row.is_api else "web"
    assert answer.status_code == row.status_for(allowed_person(row) or "")
    assert found == (set() if row.name in WITHOUT_EVENT else {(person.pk, channel)})
    assert {event.request_id for event in events} <= {answer["X-Request-ID"]}
