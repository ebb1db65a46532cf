import itertools

import pytest

from apps.approvals.models import APPROVAL_TRANSITIONS, ApprovalRequest, ApprovalStatus
from apps.core.errors import WrongState
from tests.factories import approvals


@pytest.mark.parametrize(
    ("before", "after"), list(itertools.product(ApprovalStatus, repeat=2))
)
def test_advance_follows_the_table(before, after):
    approval = ApprovalRequest(status=before)

    if after in APPROVAL_TRANSITIONS[before]:
        approval.advance(after)
        assert approval.status == after
        assert approval.closed_at is not None
    else:
        with pytest.raises(WrongState, match="cannot become"):
            approval.advance(after)


def test_names_for_people(world):
    approval = approvals.sign(approvals.request(world), world.validator)
    stage = approval.stages.get(position=1)

    assert str(approval) == "approval of inspection/damage version 1"
    assert str(stage) == "Technical review (approval of inspection/damage version 1)"
    assert str(stage.sign_offs.get()) == "Signed off by Vera Validator"
