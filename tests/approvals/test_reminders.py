"""What falls due is said in time, to those who can do something about it, once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.approvals import actions
from apps.approvals.models import ApprovalRequest, Condition, NewCondition, Stage
from apps.approvals.tasks import review_approvals
from apps.core.errors import Refused
from apps.notices.models import Notice, NoticeKind
from apps.projects.actions import add_member
from tests.factories import approvals, people
from tests.factories.people import PASSWORD


def told(kind: NoticeKind) -> list[str]:
    """Names of the accounts that were told, one for each notice."""
    found = Notice.objects.filter(kind=kind).order_by("recipient__email")
    return [notice.recipient.email.partition("@")[0] for notice in found]


def first_stage_left(approval, **left) -> None:
    due_at = timezone.now() + timedelta(**left)
    Stage.objects.filter(request=approval, position=1).update(due_at=due_at)


def remind_thrice() -> None:
    for _ in range(3):
        review_approvals()


@pytest.mark.parametrize(
    ("hours", "reminded"), [(2.5 * 24 + 1, []), (2.5 * 24 - 1, ["validator"])]
)
def test_signers_are_reminded_when_a_quarter_of_the_time_is_left(
    world, hours, reminded
):
    first_stage_left(approvals.request(world), hours=hours)

    remind_thrice()

    assert told(NoticeKind.STAGE_DUE_SOON) == reminded
    assert told(NoticeKind.STAGE_OVERDUE) == []


def test_an_overdue_stage_is_escalated_to_the_program_manager_once(world):
    first_stage_left(approvals.request(world), seconds=-1)

    remind_thrice()

    assert told(NoticeKind.STAGE_OVERDUE) == ["program_manager", "validator"]
    assert told(NoticeKind.STAGE_DUE_SOON) == []
    sentence = Notice.objects.filter(kind=NoticeKind.STAGE_OVERDUE)[0].sentence
    assert sentence.startswith("inspection/damage version 1: Technical review was to")


def test_a_signer_who_came_late_is_reminded_too(world):
    first_stage_left(approvals.request(world), seconds=-1)
    remind_thrice()
    late = people.person("late@agency.example", "Late Comer")
    add_member(
        project=world.project, person=late, role="validator", by=world.program_manager
    )

    remind_thrice()

    assert told(NoticeKind.STAGE_OVERDUE) == ["late", "program_manager", "validator"]


def test_the_next_stage_has_a_clock_of_its_own(world):
    approval = approvals.request(world)
    first_stage_left(approval, seconds=-1)
    approvals.sign(approval, world.validator)

    remind_thrice()

    assert not told(NoticeKind.STAGE_OVERDUE)


def approved(world, *, left: int, given: int = 365) -> ApprovalRequest:
    approval = approvals.approved(world)
    now = timezone.now()
    ApprovalRequest.objects.filter(pk=approval.pk).update(
        expires_at=now + timedelta(days=left) - timedelta(hours=1),
        closed_at=now - timedelta(days=given - left),
    )
    return approval


@pytest.mark.parametrize(("left", "times"), [(32, 0), (30, 1), (8, 1), (7, 1)])
def test_the_end_of_an_approval_is_told_before(world, left, times):
    approved(world, left=left)

    remind_thrice()

    expected = ["data_scientist", "program_manager"] * times
    assert told(NoticeKind.APPROVAL_EXPIRES_SOON) == expected


def test_the_end_of_an_approval_is_told_a_month_and_a_week_before(world):
    approval = approved(world, left=30)
    remind_thrice()
    ApprovalRequest.objects.filter(pk=approval.pk).update(
        expires_at=timezone.now() + timedelta(days=6)
    )

    remind_thrice()

    found = told(NoticeKind.APPROVAL_EXPIRES_SOON)
    assert found == ["data_scientist"] * 2 + ["program_manager"] * 2


def test_a_short_approval_is_not_said_to_end_on_the_day_it_begins(world):
    approved(world, left=20, given=20)

    remind_thrice()

    assert not told(NoticeKind.APPROVAL_EXPIRES_SOON)


@pytest.fixture
def condition(world) -> Condition:
    """A duty of the data scientist for eight days, under an approval that stands."""
    approval = approvals.request(world)
    duty = NewCondition(
        "Retrain.", world.data_scientist, timezone.localdate() + timedelta(days=8)
    )
    given = actions.sign_off(
        approval=approval,
        comment="When it snows.",
        password=PASSWORD,
        by=world.validator,
        conditions=[duty],
    )
    approvals.sign(approval, world.operations_manager, world.program_manager)
    return given.conditions.get()


def days_pass(condition: Condition, days: int) -> None:
    """Move the day on which it falls due, and the signature, into the past."""
    earlier = timedelta(days=days)
    Condition.objects.filter(pk=condition.pk).update(due_on=condition.due_on - earlier)
    given = type(condition.sign_off).objects.filter(pk=condition.sign_off_id)
    given.update(signed_at=condition.sign_off.signed_at - earlier)


@pytest.mark.parametrize(
    ("days", "soon", "late"), [(5, 0, 0), (6, 1, 0), (8, 1, 0), (9, 0, 1)]
)
def test_the_owner_of_a_condition_is_reminded_and_told_when_it_is_late(
    condition, days, soon, late
):
    days_pass(condition, days)

    remind_thrice()

    assert told(NoticeKind.CONDITION_DUE_SOON) == ["data_scientist"] * soon
    assert told(NoticeKind.CONDITION_OVERDUE) == ["data_scientist"] * late


def test_a_condition_that_is_met_reminds_nobody(condition, world):
    actions.meet_condition(
        condition=condition, evidence="Run 7.", by=world.data_scientist
    )
    Condition.objects.filter(pk=condition.pk).update(due_on=timezone.localdate())

    remind_thrice()

    assert not told(NoticeKind.CONDITION_DUE_SOON)


def test_remind_people_is_for_workers_only(world):
    approval = approvals.request(world)

    with pytest.raises(Refused):
        actions.remind_people(approval=approval, by=world.program_manager)
