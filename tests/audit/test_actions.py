import pytest

from apps.audit import actions
from apps.core.errors import Refused
from tests.trail import nothing_recorded, one_event


def test_record_refusal_keeps_address_and_reason(developer):
    with one_event("access.refused") as events:
        actions.record_refusal(
            address="/people/" + "x" * 400,
            reason="Only an administrator.",
            by=developer,
        )

    assert len(events[0].changes["address"]) == 300
    assert events[0].reason == "Only an administrator."


def test_record_heartbeat_is_for_the_portal_itself(administrator, worker):
    with one_event("audit.heartbeat") as events:
        actions.record_heartbeat(by=worker)
    assert (events[0].actor_id, events[0].target_id) == (worker.pk, str(worker.pk))

    with nothing_recorded(), pytest.raises(Refused, match="own account"):
        actions.record_heartbeat(by=administrator)
