"""Whatever people do in an emergency: it approves nothing, and its hours end it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.approvals import actions
from apps.approvals.models import (
    EMERGENCY_TRANSITIONS,
    EmergencyApproval,
    EmergencyStatus,
)
from apps.approvals.serving import serving_decision
from tests.approvals.test_walks import BUILDERS, CAST, DEEDS, Walk, undone
from tests.approvals.test_walks import cast as cast  # the fixture
from tests.factories import approvals, validation
from tests.factories.people import PASSWORD


class EmergencyWalk(Walk):
    """A walk on which versions may serve by emergency, too."""

    @property
    def deeds(self) -> dict[str, Any]:
        return {**DEEDS, **EMERGENCY_DEEDS}

    @property
    def emergencies(self):
        return EmergencyApproval.objects.filter(version=self.version)

    def check(self) -> None:
        super().check()
        for emergency in EmergencyApproval.objects.all():
            self.check_emergency(emergency)

    def check_serving(self, is_approved: bool) -> None:
        """By an approval, or by an emergency whose hours are not over."""
        if is_approved:
            return
        (emergency,) = self.emergencies.filter(status__in=("declared", "confirmed"))
        is_confirmed = emergency.status == EmergencyStatus.CONFIRMED
        until = emergency.holds_until if is_confirmed else emergency.confirm_by
        assert until > timezone.now()
        assert not self.version.findings.blocking().exists()

    def check_emergency(self, emergency: EmergencyApproval) -> None:
        now = EmergencyStatus(emergency.status)
        then = EmergencyStatus(self.stood.get(emergency.pk, EmergencyStatus.DECLARED))
        assert now == then or now in EMERGENCY_TRANSITIONS[then], f"{then} became {now}"
        self.stood[emergency.pk] = now
        signed = emergency.signatures.exclude(meaning="ends")
        signers = [one.signer_id for one in signed]
        assert len(signers) == len(set(signers))
        barred = {self.cast[name].pk for name in BUILDERS | {"administrator"}}
        assert not barred & set(signers)
        assert signed.filter(meaning="declares").count() == 1
        if now in (EmergencyStatus.CONFIRMED, EmergencyStatus.EXPIRED):
            assert len(signers) == 1 + emergency.policy["confirmations"]


def declare(walk: EmergencyWalk, by: Any, number: int) -> None:
    actions.declare_emergency(
        version=walk.version,
        reason="A storm.",
        hours=number + 1,
        password=PASSWORD,
        by=by,
    )


def confirm(walk: EmergencyWalk, by: Any, number: int) -> None:
    actions.confirm_emergency(
        emergency=walk.emergencies.latest("pk"),
        comment="I saw it.",
        password=PASSWORD,
        by=by,
    )


def end(walk: EmergencyWalk, by: Any, number: int) -> None:
    actions.end_emergency(
        emergency=walk.emergencies.latest("pk"),
        reason="Calm.",
        password=PASSWORD,
        by=by,
    )


def hours_pass(walk: EmergencyWalk, by: Any, number: int) -> None:
    """Let emergencies be older, behind the portal's back."""
    passed = timedelta(hours=number)
    walk.emergencies.update(
        declared_at=F("declared_at") - passed,
        confirm_by=F("confirm_by") - passed,
        holds_until=F("holds_until") - passed,
    )


def raise_finding(walk: EmergencyWalk, by: Any, number: int) -> None:
    validation.finding(walk.version, by, walk.cast["author"], severity="blocking")


def when_there(deed: Any) -> Any:
    """Let a deed wait until there is an emergency."""

    def act(walk: EmergencyWalk, by: Any, number: int) -> None:
        if walk.emergencies.exists():
            deed(walk, by, number)
        else:
            declare(walk, by, number)

    return act


def pass_quietly(walk: EmergencyWalk, by: Any, number: int) -> None:
    hours_pass(walk, by, number)
    DEEDS["clock"](walk, by, number)


EMERGENCY_DEEDS = {
    "declare": declare,
    "confirm": when_there(confirm),
    "end": when_there(end),
    # Named as the quiet deed that it is part of: time leaves no event by itself.
    "clock": pass_quietly,
    "raise_finding": raise_finding,
}
WEIGHTED = [
    *("ask", "sign_in_turn", "reject", "request_changes", "withdraw", "revoke"),
    *("tamper", "report", "move_person", "end", "raise_finding", "write_card"),
    *["declare"] * 6,
    *["confirm"] * 10,
    *["clock"] * 3,
    *["sign_in_turn"] * 3,
]
STEPS = st.lists(
    st.tuples(st.sampled_from(CAST), st.sampled_from(WEIGHTED), st.integers(0, 60)),
    min_size=5,
    max_size=20,
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(steps=STEPS)
def test_no_emergency_approves_or_outlasts_its_hours(world, cast, steps):
    with undone():
        walk = EmergencyWalk(world, cast, approvals.validated_version(world))
        begun = ("author", "ask", 1)
        for who, deed, number in [begun, *steps, ("author", "clock", 24 * 31)]:
            walk.step(who, deed, number)
        assert not walk.emergencies.in_force().exists()
        approved = walk.version.approval_requests.filter(status="approved")
        assert bool(serving_decision(walk.version)) <= approved.exists()


def test_a_walk_can_reach_a_confirmed_emergency(world, cast):
    """The walks say something: their deeds lead there when the right ones act."""
    walk = EmergencyWalk(world, cast, approvals.validated_version(world))
    for who in ("author", "program_manager", "validator", "second_manager"):
        walk.step(who, "confirm", 30)

    assert walk.emergencies.get().status == EmergencyStatus.CONFIRMED
    assert serving_decision(walk.version)
    walk.step("author", "clock", 29 * 24)
    assert serving_decision(walk.version)
    walk.step("author", "clock", 24)
    assert walk.emergencies.get().status == EmergencyStatus.EXPIRED
    assert not serving_decision(walk.version)
