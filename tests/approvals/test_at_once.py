"""Two clicks that arrive at the same time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from apps.approvals import actions
from apps.approvals.models import ApprovalRequest, SignOff
from apps.core.errors import PortalError
from tests.factories import approvals
from tests.factories.people import PASSWORD


def twice_at_once(act) -> list[str]:
    """Call `act` in two threads and say what became of each call."""
    start = Barrier(2)

    def run(_) -> str:
        try:
            start.wait(timeout=10)
            act()
        except PortalError as error:
            return error.code
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(run, range(2)))


def test_one_of_two_sign_offs_counts(committed, world):
    approval = approvals.request(world)

    outcomes = twice_at_once(
        lambda: actions.sign_off(
            approval=approval, comment="", password=PASSWORD, by=world.validator
        )
    )

    assert outcomes == ["done", "refused"]
    assert SignOff.objects.count() == 1


def test_one_of_two_requests_counts(committed, world):
    version = approvals.validated_version(world)

    outcomes = twice_at_once(lambda: approvals.request(world, version))

    assert outcomes == ["done", "wrong_state"]
    assert ApprovalRequest.objects.count() == 1
