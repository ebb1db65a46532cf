"""Signing in somebody's place: for a time, in one project, held to what both did."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.approvals import actions, queries, rules
from apps.approvals.models import ApprovalStatus, Delegation, SignOff, Stage
from apps.approvals.waiting import waiting_for
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused, WrongState
from apps.projects.actions import add_member, change_role, remove_member
from apps.registry.actions import edit_card
from tests.factories import approvals, people
from tests.factories.people import PASSWORD


def member(world, name: str, role: str = "developer"):
    person = people.person(f"{name}@agency.example", name.title())
    add_member(
        project=world.project, person=person, role=role, by=world.program_manager
    )
    return person


@pytest.fixture
def deputy(world):
    return member(world, "deputy")


def lend(world, receiver, by=None, first: int = 0, last: int = 7) -> Delegation:
    return actions.delegate_signing(
        project=world.project,
        receiver=receiver,
        starts_on=timezone.localdate() + timedelta(days=first),
        ends_on=timezone.localdate() + timedelta(days=last),
        by=by or world.validator,
    )


def sign(approval, by) -> SignOff:
    return actions.sign_off(
        approval=approval, comment="Fine.", password=PASSWORD, by=by
    )


def set_role(world, person, role: str) -> None:
    membership = world.project.memberships.get(user=person)
    change_role(membership=membership, role=role, by=world.program_manager)


def test_delegate_signing_lets_the_receiver_sign_in_their_own_name(world, deputy):
    approval = approvals.request(world)
    with pytest.raises(Refused):
        sign(approval, deputy)
    lent = lend(world, deputy)
    assert AuditEvent.objects.latest("pk").type == "delegation.given"

    given = sign(approval, deputy)

    assert given.signer == deputy
    assert given.signer_name == "Deputy"
    assert given.delegation == lent
    place = {"delegation": str(lent.pk), "giver": str(world.validator.pk)}
    assert json.loads(given.record)["in_place_of"] == place
    event = AuditEvent.objects.latest("pk")
    assert event.changes["in_place_of_id"] == str(world.validator.pk)
    assert approval.stages.earliest("position").completed_at


def test_a_signature_in_ones_own_right_names_nobody_else(world, deputy):
    set_role(world, deputy, "validator")
    lend(world, deputy)

    given = sign(approvals.request(world), deputy)

    assert given.delegation is None
    assert "in_place_of" not in json.loads(given.record)


def test_the_giver_counts_as_having_signed(world, deputy):
    """One role held by one person never gives two signatures."""
    third = member(world, "third")
    approval = approvals.request(world)
    Stage.objects.filter(request=approval, position=1).update(required=2)
    lend(world, deputy)
    sign(approval, deputy)

    with pytest.raises(Refused, match="You had the stage Technical review signed"):
        sign(approval, world.validator)
    actions.revoke_delegation(delegation=Delegation.objects.get(), by=world.validator)
    lend(world, third)
    with pytest.raises(Refused, match="Not in the place of Vera Validator"):
        sign(approval, third)
    assert not waiting_for(world.validator).exists()
    assert not waiting_for(third).exists()


def test_the_receiver_signs_no_second_stage(world, deputy):
    lend(world, deputy)
    lend(world, deputy, by=world.operations_manager)
    approval = approvals.request(world)
    sign(approval, deputy)

    with pytest.raises(Refused, match="You signed the stage Technical review"):
        sign(approval, deputy)


@pytest.mark.parametrize("who", ["giver", "receiver"])
def test_what_either_did_bars_the_receiver(world, deputy, who):
    person = {"giver": world.validator, "receiver": deputy}[who]
    version = approvals.validated_version(world)
    before = world.project.memberships.get(user=person).role
    set_role(world, person, "data_scientist")
    edit_card(version=version, sections={"limitations": "None."}, by=person)
    set_role(world, person, before)
    lend(world, deputy)
    approval = approvals.request(world, version)

    with pytest.raises(Refused, match="wrote its model card"):
        sign(approval, deputy)

    assert not waiting_for(deputy).exists()
    listed = [one for one in rules.signers(approval) if one.person == deputy]
    assert [bool(one.decision) for one in listed] == [False]


def give_another_role(world, deputy):
    set_role(world, world.validator, "developer")


def remove_receiver(world, deputy):
    membership = world.project.memberships.get(user=deputy)
    remove_member(membership=membership, by=world.program_manager)


def make_auditor(world, deputy):
    deputy.agency_roles = ["auditor"]
    deputy.save()


def end(world, deputy):
    actions.revoke_delegation(delegation=Delegation.objects.get(), by=world.validator)


def let_time_pass(world, deputy):
    past = {
        "starts_on": timezone.localdate() - timedelta(2),
        "ends_on": timezone.localdate() - timedelta(1),
    }
    Delegation.objects.update(**past)


def begin_tomorrow(world, deputy):
    Delegation.objects.update(starts_on=timezone.localdate() + timedelta(1))


@pytest.mark.parametrize(
    "change",
    [
        *(give_another_role, remove_receiver, make_auditor),
        *(end, let_time_pass, begin_tomorrow),
    ],
)
def test_a_delegation_ends_with_what_it_rests_on(world, deputy, change):
    approval = approvals.request(world)
    lend(world, deputy)
    assert rules.can_sign_off(deputy, approval)
    assert waiting_for(deputy).get() == approval

    change(world, deputy)

    assert not rules.can_sign_off(deputy, approval)
    assert not waiting_for(deputy).exists()
    with pytest.raises(Refused):
        sign(approval, deputy)


def test_what_was_handed_over_is_not_handed_on(world, deputy):
    lend(world, deputy)

    with pytest.raises(Refused, match="Only a"):
        lend(world, world.data_scientist, by=deputy)

    assert Delegation.objects.count() == 1


def test_a_role_is_handed_over_for_its_own_stage_only(world, deputy):
    lend(world, deputy)
    approval = approvals.sign(approvals.request(world), world.validator)

    with pytest.raises(Refused):
        sign(approval, deputy)


@pytest.mark.parametrize(
    ("choose", "said"),
    [
        (lambda world: world.validator, "Choose somebody else"),
        (lambda world: world.outsider, "no active member"),
        (lambda world: world.auditor, "no active member"),
    ],
)
def test_delegate_signing_to_somebody_impossible_is_invalid(world, choose, said):
    with pytest.raises(Invalid, match=said):
        lend(world, choose(world))

    assert not Delegation.objects.exists()


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_delegate_signing_to_who_can_never_sign_is_invalid(world, deputy, role):
    deputy.agency_roles = [role]
    deputy.save()

    with pytest.raises(Invalid, match="can never sign"):
        lend(world, deputy)


@pytest.mark.parametrize(("first", "last"), [(-1, 3), (3, 2), (0, 91)])
def test_delegate_signing_for_impossible_days_is_invalid(world, deputy, first, last):
    with pytest.raises(Invalid, match="day"):
        lend(world, deputy, first=first, last=last)

    assert not Delegation.objects.exists()


def test_delegate_signing_twice_for_the_same_days_is_invalid(world, deputy):
    lend(world, deputy)

    with pytest.raises(Invalid, match="already"):
        lend(world, world.developer, first=7, last=9)

    lend(world, world.developer, first=8, last=9)


def test_revoke_delegation_is_for_the_giver_and_program_managers(world, deputy):
    lent = lend(world, deputy)
    with pytest.raises(Refused):
        actions.revoke_delegation(delegation=lent, by=deputy)

    actions.revoke_delegation(delegation=lent, by=world.program_manager)

    event = AuditEvent.objects.latest("pk")
    assert event.type == "delegation.revoked"
    with pytest.raises(WrongState, match="revoked already"):
        actions.revoke_delegation(delegation=lent, by=world.validator)


def test_a_signature_by_delegation_takes_a_request_to_approval(world, deputy):
    lend(world, deputy)

    approval = approvals.sign(
        approvals.request(world),
        deputy,
        world.operations_manager,
        world.program_manager,
    )

    assert approval.status == ApprovalStatus.APPROVED
    first, *_ = queries.card_section(approval.version)["signatures"]
    assert (first["name"], first["in_place_of"]) == ("Deputy", "Vera Validator")


def test_pages_say_in_whose_place(world, deputy, client_of):
    lend(world, deputy)
    approval = approvals.request(world)

    page = client_of(deputy).get(approval.get_absolute_url()).text
    assert "You sign in the place of <strong>Vera Validator</strong>" in page
    assert "In the place of Vera Validator" in page
    mine = client_of(world.validator).get(approval.get_absolute_url()).text
    assert "You sign in the place of" not in mine
    sign(approval, deputy)
    signed = client_of(world.developer).get(approval.get_absolute_url()).text

    assert "In the place of Vera Validator" in signed


def test_the_page_of_delegations_takes_one_and_shows_it(world, deputy, client_of):
    client = client_of(world.validator)
    address = f"/projects/{world.project.slug}/delegations/"
    days = {
        "starts_on": timezone.localdate().isoformat(),
        "ends_on": timezone.localdate().isoformat(),
    }

    late = client.post(
        address, {**days, "receiver": str(deputy.pk), "ends_on": "2001-01-01"}
    )
    done = client.post(address, {**days, "receiver": str(deputy.pk)}, follow=True)

    assert late.status_code == 422
    assert "cannot come before the first" in late.text
    assert "Deputy signs in your place." in done.text
    assert "In force" in done.text


def test_the_signed_record_prints_in_whose_place(world, deputy, api_of):
    lend(world, deputy)
    approval = approvals.request(world)
    sign(approval, deputy)

    answer = api_of(world.auditor).get(f"/api/v1/approval-requests/{approval.pk}")

    (given,) = answer.json()["stages"][0]["sign_offs"]
    assert given["in_place_of"] == "Vera Validator"
