"""Whatever people do in whatever order: nothing is approved without its signatures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.approvals import actions, rules
from apps.approvals.models import (
    APPROVAL_TRANSITIONS,
    CONSENTING,
    ONCE_APPROVED,
    ApprovalRequest,
    ApprovalStatus,
    Condition,
    Delegation,
    NewCondition,
    SignOff,
)
from apps.approvals.serving import serving_decision
from apps.approvals.tasks import review_approvals
from apps.audit.models import AuditEvent
from apps.core.errors import PortalError
from apps.projects.actions import add_member, change_role, remove_member
from apps.registry.actions import edit_card
from apps.registry.models import Alias, ModelCard
from tests.factories import approvals, people, validation
from tests.factories.people import PASSWORD

ROLES = ("data_scientist", "validator", "operations_manager", "program_manager")
# More hands than stages, so that a walk can get to its end in many ways.
CAST = (
    *("author", "validator", "second_validator", "operations_manager"),
    *("second_operator", "program_manager", "second_manager", "administrator"),
)
BUILDERS = frozenset({"author"})


@dataclass
class Walk:
    """One course of things, and what must be true after every step of it."""

    world: Any
    cast: dict[str, Any]
    version: Any
    stood: dict[Any, str] = field(default_factory=dict)
    # Who held which role when they signed, as the walk saw it.
    roles: dict[Any, set[str]] = field(default_factory=dict)

    @property
    def deeds(self) -> dict[str, Any]:
        return DEEDS

    @property
    def newest(self) -> ApprovalRequest:
        return ApprovalRequest.objects.latest("pk")

    def step(self, who: str, deed: str, number: int) -> None:
        before = AuditEvent.objects.count()
        known = set(SignOff.objects.values_list("pk", flat=True))
        try:
            with transaction.atomic():
                self.deeds[deed](self, self.cast[who], number)
        except PortalError:
            pass
        else:
            if deed not in QUIET:
                assert AuditEvent.objects.count() > before, f"{deed} left no event"
        for one in SignOff.objects.exclude(pk__in=known):
            holder = one.delegation.giver if one.delegation else one.signer
            held = self.world.project.memberships.filter(user=holder)
            self.roles[one.pk] = set(held.values_list("role", flat=True))
        self.check()

    def check(self) -> None:
        for approval in ApprovalRequest.objects.all():
            self.check_way(approval)
            if approval.status in ONCE_APPROVED:
                self.check_signatures(approval)
        champion = Alias.objects.filter(version__model=self.version.model).first()
        if champion:
            requests = champion.version.approval_requests
            assert requests.filter(status__in=ONCE_APPROVED).exists()
        self.version.refresh_from_db()
        in_force = self.version.approval_requests.filter(status="approved")
        assert (self.version.state == "approved") == in_force.exists()
        if serving_decision(self.version):
            self.check_serving(in_force.exists())

    def check_serving(self, is_approved: bool) -> None:
        assert is_approved

    def check_way(self, approval: ApprovalRequest) -> None:
        now = ApprovalStatus(approval.status)
        then = ApprovalStatus(self.stood.get(approval.pk, ApprovalStatus.IN_REVIEW))
        if now != then:
            assert now in APPROVAL_TRANSITIONS[then], f"{then} became {now}"
        self.stood[approval.pk] = now

    def check_signatures(self, approval: ApprovalRequest) -> None:
        """Each stage of the frozen policy has its signers, all of them independent."""
        everybody: Counter[Any] = Counter()
        for position, wanted in enumerate(approval.policy["stages"], start=1):
            counted = SignOff.objects.filter(
                stage__request=approval,
                stage__position=position,
                decision__in=CONSENTING,
                withdrawal__isnull=True,
            )
            signers = {one.signer_id for one in counted}
            assert len(signers) >= wanted["required"], f"stage {position} lacks signers"
            for one in counted:
                assert wanted["role"] in self.roles[one.pk]
                assert one.evidence_digest == approval.evidence_digest
                if one.delegation:
                    everybody[one.delegation.giver_id] += 1
            everybody.update(signers)
        assert max(everybody.values()) == 1, "somebody signed two stages"
        barred = {self.cast[name].pk for name in BUILDERS | {"administrator"}}
        barred.add(approval.requested_by_id)
        assert not barred & set(everybody)


def sign(walk: Walk, by: Any, number: int) -> None:
    conditions = []
    if number % 5 == 0:
        conditions = [
            NewCondition("Look again.", walk.cast["author"], timezone.localdate())
        ]
    actions.sign_off(
        approval=walk.newest,
        comment="Fine.",
        password=PASSWORD,
        by=by,
        conditions=conditions,
    )


def sign_in_turn(walk: Walk, by: Any, number: int) -> None:
    """Let somebody sign who may, so that walks get far."""
    for person in walk.cast.values():
        if rules.can_sign_off(person, walk.newest):
            sign(walk, person, number)
            return


def decide(action: Any) -> Any:
    def act(walk: Walk, by: Any, number: int) -> None:
        action(approval=walk.newest, comment="No.", password=PASSWORD, by=by)

    return act


def take_back(walk: Walk, by: Any, number: int) -> None:
    given = list(SignOff.objects.order_by("signed_at"))
    sign_off = given[number % len(given)] if given else None
    if sign_off:
        actions.withdraw_sign_off(
            sign_off=sign_off, reason="Misread.", password=PASSWORD, by=by
        )


def ask(walk: Walk, by: Any, number: int) -> None:
    actions.request_approval(version=walk.version, message="", by=by)


def delegate(walk: Walk, by: Any, number: int) -> None:
    receiver = walk.cast[CAST[number % len(CAST)]]
    actions.delegate_signing(
        project=walk.world.project,
        receiver=receiver,
        starts_on=timezone.localdate(),
        ends_on=timezone.localdate(),
        by=by,
    )


def end_delegation(walk: Walk, by: Any, number: int) -> None:
    if given := Delegation.objects.last():
        actions.revoke_delegation(delegation=given, by=by)


def withdraw(walk: Walk, by: Any, number: int) -> None:
    actions.withdraw_request(approval=walk.newest, by=by)


def revoke(walk: Walk, by: Any, number: int) -> None:
    actions.revoke_approval(
        approval=walk.newest, reason="It drifts.", password=PASSWORD, by=by
    )


def meet(walk: Walk, by: Any, number: int) -> None:
    if condition := Condition.objects.first():
        actions.meet_condition(condition=condition, evidence="Done.", by=by)


def move_person(walk: Walk, by: Any, number: int) -> None:
    """Give somebody another role, take them out, or let them in again."""
    names = [name for name in CAST if name != "administrator"]
    person, role = walk.cast[names[number % len(names)]], ROLES[number % len(ROLES)]
    membership = walk.world.project.memberships.filter(user=person).first()
    if membership is None:
        add_member(project=walk.world.project, person=person, role=role, by=by)
    elif number % 3:
        change_role(membership=membership, role=role, by=by)
    else:
        remove_member(membership=membership, by=by)


def write_card(walk: Walk, by: Any, number: int) -> None:
    sections = {"limitations": f"Limit {number}."}
    edit_card(version=walk.version, sections=sections, by=by)


def tamper(walk: Walk, by: Any, number: int) -> None:
    ModelCard.objects.filter(version=walk.version).update(intended_use=str(number))


def report(walk: Walk, by: Any, number: int) -> None:
    verdict = ("pass", "pass", "fail")[number % 3]
    validation.finished_report(walk.version, by, verdict)


def clock(walk: Walk, by: Any, number: int) -> None:
    review_approvals()


DEEDS = {
    "ask": ask,
    "sign": sign,
    "sign_in_turn": sign_in_turn,
    "reject": decide(actions.reject),
    "request_changes": decide(actions.request_changes),
    "take_back": take_back,
    "withdraw": withdraw,
    "delegate": delegate,
    "end_delegation": end_delegation,
    "revoke": revoke,
    "meet": meet,
    "move_person": move_person,
    "write_card": write_card,
    "tamper": tamper,
    "report": report,
    "clock": clock,
}
# May do nothing, or do it behind the portal's back.
QUIET = frozenset(
    {
        *("clock", "meet", "move_person", "sign_in_turn"),
        *("end_delegation", "take_back", "tamper", "write_card"),
    }
)
# Signing is what can go wrong, so it is most of what people do.
WEIGHTED = [
    *DEEDS,
    *["sign"] * 6,
    *["sign_in_turn"] * 8,
    *["ask"] * 4,
    *["delegate"] * 3,
]
STEPS = st.lists(
    st.tuples(st.sampled_from(CAST), st.sampled_from(WEIGHTED), st.integers(0, 60)),
    min_size=5,
    max_size=25,
)


@pytest.fixture
def cast(world) -> dict[str, Any]:
    found = {
        "author": world.data_scientist,
        "validator": world.validator,
        "operations_manager": world.operations_manager,
        "program_manager": world.program_manager,
        "administrator": world.administrator,
    }
    for name, role in (
        ("second_validator", "validator"),
        ("second_operator", "operations_manager"),
        ("second_manager", "program_manager"),
    ):
        found[name] = people.person(f"{name}@agency.example", name.title())
        add_member(
            project=world.project,
            person=found[name],
            role=role,
            by=world.program_manager,
        )
    return found


def begun(world, cast) -> Walk:
    walk = Walk(world, cast, approvals.validated_version(world))
    walk.step("author", "ask", 1)
    return walk


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever happens within."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(steps=STEPS)
def test_no_walk_reaches_approval_without_its_signatures(world, cast, steps):
    with undone():
        walk = begun(world, cast)
        for who, deed, number in steps:
            walk.step(who, deed, number)


def test_a_walk_can_reach_approval(world, cast):
    """The walks say something: their deeds lead to approval when the right ones act."""
    walk = begun(world, cast)
    for who, deed in (
        ("author", "sign"),
        ("validator", "sign"),
        ("validator", "sign"),
        ("operations_manager", "sign"),
        ("program_manager", "sign"),
    ):
        walk.step(who, deed, 1)
    assert walk.newest.status == ApprovalStatus.APPROVED


def test_a_walk_can_reach_approval_through_somebody_else(world, cast):
    """Who signs in another's place is followed to whose place it was."""
    walk = begun(world, cast)
    for who, deed in (
        ("validator", "delegate"),
        ("second_manager", "sign"),
        ("validator", "sign"),
        ("operations_manager", "sign"),
        ("second_manager", "sign"),
        ("program_manager", "sign"),
    ):
        walk.step(who, deed, CAST.index("second_manager"))
    assert walk.newest.status == ApprovalStatus.APPROVED
    (first,) = SignOff.objects.filter(stage__position=1)
    assert first.delegation.giver == cast["validator"]


def test_the_check_finds_a_missing_signature(world, cast):
    """A request that was moved behind the portal's back does not get past the check."""
    walk = begun(world, cast)
    ApprovalRequest.objects.update(status="approved", closed_at=timezone.now())
    with pytest.raises(AssertionError, match="lacks signers"):
        walk.check()
