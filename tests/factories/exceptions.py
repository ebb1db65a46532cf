"""High-impact projects, statements on practices and waivers, made through actions."""

from datetime import timedelta

from django.utils import timezone

from apps.approvals import actions
from apps.approvals.actions.practices import NewStatement
from apps.approvals.actions.waivers import NewWaiver
from apps.approvals.models import Waiver
from apps.approvals.practices import practices
from apps.projects.actions import add_member, determine_impact
from apps.registry.actions import edit_card
from apps.registry.models import CARD_SECTIONS
from tests.factories import approvals
from tests.factories.people import PASSWORD, person

WAIVED = "remedies_or_appeals"


def high(world) -> None:
    """Let the AI official determine that the project of `world` is high-impact."""
    determine_impact(
        project=world.project,
        impact="high",
        reason="Decides on benefits.",
        by=world.ai_official,
    )
    world.project.refresh_from_db()


def state(version, by, practice: str = "human_training", **wish):
    """A statement on one practice: met, unless `wish` says otherwise."""
    said = {"state": "met", "text": "As the report says.", **wish}
    return actions.state_practice(
        version=version, statement=NewStatement(practice=practice, **said), by=by
    )


def state_all(version, by, but: tuple[str, ...] = ()) -> None:
    """Statements that settle every practice except `but`."""
    for practice in practices():
        if practice not in but:
            state(version, by, practice)


def high_version(world, but: tuple[str, ...] = ()):
    """A validated version of a high-impact project, with card and statements."""
    high(world)
    version = approvals.validated_version(world)
    sections = dict.fromkeys(CARD_SECTIONS, "Said.")
    edit_card(version=version, sections=sections, by=world.data_scientist)
    state_all(version, world.data_scientist, but)
    version.model.project.refresh_from_db()
    return version


def waiver(world, *named: str, days: int = 100, by=None) -> Waiver:
    """A waiver of practices, by default of remedies or appeals."""
    if world.project.impact != "high":
        high(world)
    wish = NewWaiver(
        practices=list(named) or [WAIVED],
        ground="impedes_operations",
        finding="Inspections would stop in winter.",
        public_summary="Appeals would stop inspections that keep flights safe.",
        expires_on=timezone.localdate() + timedelta(days=days),
    )
    return actions.grant_waiver(
        project=world.project,
        waiver=wish,
        password=PASSWORD,
        by=by or world.ai_official,
    )


def signed_by_all(world, approval):
    """Have the four signers of a high-impact request sign it."""
    second = person("second@agency.example", "Sec Ond")
    add_member(
        project=world.project, person=second, role="validator", by=world.program_manager
    )
    return approvals.sign(
        approval,
        world.validator,
        second,
        world.operations_manager,
        world.program_manager,
    )


def approved(world):
    """An approved version of a high-impact project that rests on a waiver."""
    version = high_version(world, but=(WAIVED,))
    waiver(world)
    return signed_by_all(world, approvals.request(world, version))


def emergency(world, version=None, *, hours: int = 24, by=None):
    """An emergency approval that the program manager gave."""
    return actions.declare_emergency(
        version=version or approvals.validated_version(world),
        reason="The old model fails in the storm.",
        hours=hours,
        password=PASSWORD,
        by=by or world.program_manager,
    )


def confirm(emergency, *people):
    """Have each of `people` confirm it."""
    for one in people:
        actions.confirm_emergency(
            emergency=emergency, comment="I saw it fail.", password=PASSWORD, by=one
        )
    emergency.refresh_from_db()
    return emergency
