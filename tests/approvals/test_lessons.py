"""How approvals go wrong elsewhere, one test for each way.

The ways are those that users of OpenMetadata reported on its public tracker; each test
names the number there.
"""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.approvals import actions, rules
from apps.approvals.models import ApprovalRequest, SignOff, Stage
from apps.approvals.serving import serving_decision
from apps.approvals.tasks import review_approvals
from apps.approvals.waiting import waiting_for
from apps.core.errors import PortalError, Refused, WrongState
from apps.projects.actions import add_member, change_role, remove_member
from apps.registry.actions import edit_card
from apps.registry.models import Alias
from tests.factories import approvals, people, registry
from tests.factories.people import PASSWORD


def sign(approval, by):
    return actions.sign_off(
        approval=approval, comment="Fine.", password=PASSWORD, by=by
    )


def joined(world, name: str, role: str):
    person = people.person(f"{name}@agency.example", name.title())
    add_member(
        project=world.project, person=person, role=role, by=world.program_manager
    )
    return person


def test_14486_the_maker_cannot_become_reviewer_of_their_own_work(world):
    approval = approvals.request(world)
    change_role(
        membership=world.project.memberships.get(user=world.data_scientist),
        role="validator",
        by=world.program_manager,
    )

    with pytest.raises(Refused, match="You uploaded its data"):
        sign(approval, world.data_scientist)
    names = {one.person: bool(one.decision) for one in rules.signers(approval)}
    assert names[world.data_scientist] is False


def test_16905_nobody_is_so_high_that_their_work_skips_review(world, api_of):
    version = registry.model_version(world.project, world.data_scientist)
    assert (version.state, Alias.objects.count()) == ("draft", 0)
    approval = approvals.request(world)

    for person in (world.administrator, world.ai_official, world.worker):
        with pytest.raises(PortalError):
            sign(approval, person)
    address = reverse("v1:sign_off", args=[approval.pk])
    answer = api_of(world.administrator).post(
        address,
        json.dumps({"password": PASSWORD, "comment": "Mine."}),
        content_type="application/json",
    )

    assert answer.status_code in {403, 404}
    assert not SignOff.objects.exists()


def test_16102_reviewers_who_come_later_can_act(world):
    approval = approvals.request(world)
    late = joined(world, "late", "validator")

    assert approval in waiting_for(late)
    sign(approval, late)

    assert approval.stages.earliest("position").completed_at


@pytest.mark.parametrize("door", ["page", "api"])
def test_13964_14391_what_came_in_from_elsewhere_starts_at_the_beginning(
    world, client_of, api_of, door
):
    """A registered version has no standing until it was measured and asked for."""
    version = registry.model_version(world.project, world.data_scientist)
    place = [world.project.slug, version.model.name, version.number]

    if door == "page":
        address = reverse("approvals:request_approval", args=place)
        answer = client_of(world.data_scientist).post(address, {"message": ""})
    else:
        address = reverse("v1:request_approval", args=place)
        answer = api_of(world.data_scientist).post(
            address, "{}", content_type="application/json"
        )

    assert answer.status_code == 409
    assert not serving_decision(version)
    assert not ApprovalRequest.objects.exists()


def test_24100_the_wrong_person_does_not_move_the_workflow(world):
    approval = approvals.request(world)

    for person in (world.program_manager, world.operations_manager, world.developer):
        with pytest.raises(Refused):
            sign(approval, person)
    sign(approval, world.validator)
    with pytest.raises(Refused, match="signed in the role of operations manager"):
        sign(approval, world.program_manager)

    approval.refresh_from_db()
    done = approval.stages.order_by("position").values_list("completed_at", flat=True)
    assert [bool(at) for at in done] == [True, False, False]
    assert approval.is_open


def test_26085_a_stuck_request_says_who_is_missing_and_ends_by_the_clock(world):
    approval = approvals.request(world)
    remove_member(
        membership=world.project.memberships.get(user=world.validator),
        by=world.program_manager,
    )
    assert rules.signers(approval) == []
    helper = joined(world, "helper", "validator")
    assert [one.person for one in rules.signers(approval)] == [helper]

    ApprovalRequest.objects.update(due_at=timezone.now())
    review_approvals()

    approval.refresh_from_db()
    assert approval.status == "lapsed"
    assert rules.can_request_approval(world.data_scientist, approval.version)


def test_19907_much_editing_makes_no_heap_of_tasks(world):
    version = approvals.validated_version(world)
    for number in range(10):
        edit_card(
            version=version,
            sections={"limitations": f"Draft {number}."},
            by=world.data_scientist,
        )
    assert not ApprovalRequest.objects.exists()

    approvals.request(world, version)
    for _ in range(3):
        with pytest.raises(WrongState, match="is open"):
            approvals.request(world, version)

    assert waiting_for(world.validator).count() == 1
    assert Stage.objects.count() == len(ApprovalRequest.objects.get().policy["stages"])
