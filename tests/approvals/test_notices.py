"""Everybody whom a step of a request concerns is told, and nobody else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.approvals import actions
from apps.approvals.models import ApprovalRequest, NewCondition
from apps.core.errors import Refused
from apps.notices.models import Notice, NoticeKind
from apps.projects.actions import access, remove_member
from tests.factories import approvals
from tests.factories.people import PASSWORD


def told(kind: NoticeKind) -> dict[str, Notice]:
    """By e-mail name, the notices of one kind."""
    found = Notice.objects.filter(kind=kind).select_related("recipient")
    return {each.recipient.email.partition("@")[0]: each for each in found}


def forget_all() -> None:
    Notice.objects.all().delete()


def test_request_approval_tells_those_who_can_sign_first(world):
    approval = approvals.request(world)

    found = told(NoticeKind.APPROVAL_TO_SIGN)
    assert set(found) == {"validator"}
    assert found["validator"].path == approval.get_absolute_url()
    assert found["validator"].sentence == (
        "inspection/damage version 1 waits for your signature: Technical review."
    )
    assert Notice.objects.count() == 1


def test_nobody_is_told_who_could_not_sign(world):
    version = approvals.validated_version(world)
    access.restrict(thing=version.model, by=world.data_scientist)

    approvals.request(world, version)

    assert not told(NoticeKind.APPROVAL_TO_SIGN)


def test_a_complete_stage_tells_the_next_signers(world):
    approval = approvals.request(world)
    forget_all()

    approvals.sign(approval, world.validator)

    assert set(told(NoticeKind.APPROVAL_TO_SIGN)) == {"operations_manager"}
    assert Notice.objects.count() == 1


def test_the_last_signature_tells_requester_and_signers(world):
    approvals.approved(world)

    found = told(NoticeKind.APPROVAL_APPROVED)
    assert set(found) == {"data_scientist", "validator", "operations_manager"}
    assert "champion now" in found["validator"].sentence


@pytest.mark.parametrize(
    ("decide", "kind"),
    [
        (actions.reject, NoticeKind.APPROVAL_REJECTED),
        (actions.request_changes, NoticeKind.APPROVAL_SENT_BACK),
    ],
)
def test_a_refusal_tells_requester_and_earlier_signers(world, decide, kind):
    approval = approvals.sign(approvals.request(world), world.validator)

    decide(
        approval=approval,
        comment="No.",
        password=PASSWORD,
        by=world.operations_manager,
    )

    assert set(told(kind)) == {"data_scientist", "validator"}


def test_withdraw_request_tells_those_who_waited(world):
    approval = approvals.sign(approvals.request(world), world.validator)

    actions.withdraw_request(approval=approval, by=world.data_scientist)

    assert set(told(NoticeKind.APPROVAL_WITHDRAWN)) == {
        "validator",
        "operations_manager",
    }


def test_withdraw_sign_off_tells_those_whose_turn_it_is_again(world):
    approval = approvals.sign(approvals.request(world), world.validator)
    forget_all()
    given = approval.stages.earliest("position").sign_offs.get()

    actions.withdraw_sign_off(
        sign_off=given, reason="Too soon.", password=PASSWORD, by=world.validator
    )

    assert not told(NoticeKind.APPROVAL_TO_SIGN)  # the one validator took part


def test_revoke_approval_tells_all_others(world):
    approval = approvals.approved(world)

    actions.revoke_approval(
        approval=approval, reason="Hawks.", password=PASSWORD, by=world.validator
    )

    assert set(told(NoticeKind.APPROVAL_REVOKED)) == {
        "data_scientist",
        "operations_manager",
        "program_manager",
    }


def review(approval, world, **changed) -> ApprovalRequest | None:
    ApprovalRequest.objects.filter(pk=approval.pk).update(**changed)
    return actions.review_approval(approval=approval, by=world.worker)


def test_a_request_that_lapses_tells_requester_signers_and_who_was_waited_for(world):
    approval = approvals.sign(approvals.request(world), world.validator)

    review(approval, world, due_at=timezone.now())

    assert set(told(NoticeKind.APPROVAL_LAPSED)) == {
        "data_scientist",
        "validator",
        "operations_manager",
    }


EVERYBODY = {"data_scientist", "validator", "operations_manager", "program_manager"}


def test_an_approval_that_expires_tells_requester_and_signers(world):
    review(approvals.approved(world), world, expires_at=timezone.now())

    assert set(told(NoticeKind.APPROVAL_EXPIRED)) == EVERYBODY


def test_an_approval_that_becomes_stale_tells_requester_and_signers(world):
    approval = approvals.approved(world)
    type(approval.version).objects.filter(pk=approval.version_id).update(
        signature={"columns": []}
    )

    review(approval, world)

    assert set(told(NoticeKind.APPROVAL_STALE)) == EVERYBODY


@pytest.fixture
def conditional(world) -> ApprovalRequest:
    """Approved under a duty of the data scientist, due today."""
    approval = approvals.request(world)
    actions.sign_off(
        approval=approval,
        comment="When it snows.",
        password=PASSWORD,
        by=world.validator,
        conditions=[
            NewCondition("Retrain.", world.data_scientist, timezone.localdate())
        ],
    )
    return approvals.sign(approval, world.operations_manager, world.program_manager)


def test_a_condition_tells_its_owner_and_leads_to_it(conditional, world, client_of):
    condition = conditional.stages.earliest("position").sign_offs.get().conditions.get()

    found = told(NoticeKind.CONDITION_ASSIGNED)

    assert set(found) == {"data_scientist"}
    page, _, anchor = found["data_scientist"].path.partition("#")
    assert anchor == f"condition-{condition.pk}"
    shown = client_of(world.data_scientist).get(page).content.decode()
    assert f'id="{anchor}"' in shown
    assert "Retrain" not in found["data_scientist"].sentence


def test_suspension_and_return_are_told(conditional, world):
    found = conditional.stages.earliest("position").sign_offs.get().conditions
    found.update(due_on=timezone.localdate() - timedelta(days=1))
    review(conditional, world)
    assert set(told(NoticeKind.APPROVAL_SUSPENDED)) == EVERYBODY

    actions.meet_condition(
        condition=found.get(), evidence="Run 7.", by=world.data_scientist
    )

    assert set(told(NoticeKind.APPROVAL_REINSTATED)) == EVERYBODY - {"data_scientist"}


def test_who_no_longer_sees_the_model_is_told_nothing(world):
    approval = approvals.approved(world)
    membership = world.project.memberships.get(user=world.validator)
    remove_member(membership=membership, by=world.program_manager)

    review(approval, world, expires_at=timezone.now())

    assert set(told(NoticeKind.APPROVAL_EXPIRED)) == EVERYBODY - {"validator"}


def test_a_refused_decision_tells_nobody(world):
    approval = approvals.request(world)
    forget_all()

    with pytest.raises(Refused, match="signed in the role"):
        approvals.sign(approval, world.operations_manager)

    assert not Notice.objects.exists()
