"""Who could do what, told by the trail, against the rules as they stood then."""

import random
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apps.access.checks import has_agency_permission, has_permission
from apps.access.permissions import Permission
from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.audit.models import Disclosure
from apps.audit.standing import holdings_at, what_could, who_could
from apps.core.errors import PortalError
from apps.projects import actions as projects
from apps.projects.models import Membership, Project
from tests.factories import projects as project_factory

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
STEPS = 40
GRANTABLE = ["program_manager", "auditor", "ai_official", "administrator"]
ROLES = ["program_manager", "data_scientist", "validator", "developer"]
ASKED = [
    Permission.APPROVAL_SIGN_OFF,
    Permission.MEMBER_MANAGE,
    Permission.MODEL_DOWNLOAD,
    Permission.AUDIT_READ,
    Permission.PROJECT_READ,
    Permission.PROJECT_DETERMINE_IMPACT,
]


def could_in(project: Project) -> dict[Permission, set[str]]:
    """Ask the rules themselves, which know only the present."""
    people_now = User.objects.people()
    return {
        permission: {
            str(user.pk)
            for user in people_now
            if has_permission(user, permission, project)
        }
        for permission in ASKED
    }


def could_everywhere() -> dict[Permission, set[str]]:
    return {
        permission: {
            str(user.pk)
            for user in User.objects.people()
            if has_agency_permission(user, permission)
        }
        for permission in (Permission.ACCOUNT_MANAGE, Permission.AUDIT_EXPORT)
    }


def something_happens(dice: random.Random, world, other: Project) -> None:
    """Do one thing at random; what the rules refuse does not happen."""
    project, manager = dice.choice(
        [(world.project, world.program_manager), (other, other.created_by)]
    )
    person = dice.choice([world.developer, world.validator, world.outsider, manager])
    member = Membership.objects.filter(project=project, user=person).first()
    match dice.randrange(5):
        case 0 if member:
            projects.remove_member(membership=member, by=manager)
        case 1 if member:
            role = dice.choice(ROLES)
            projects.change_role(membership=member, role=role, by=manager)
        case 0 | 1 | 2:
            role = dice.choice(ROLES)
            projects.add_member(project=project, person=person, role=role, by=manager)
        case 3:
            roles = dice.sample(GRANTABLE, dice.randrange(3))
            accounts.set_agency_roles(
                person=person, agency_roles=roles, by=world.administrator
            )
        case 4 if dice.random() < 0.3:
            accounts.deactivate_person(person=person, by=world.administrator)


@pytest.mark.parametrize("seed", range(3))
def test_the_trail_answers_as_the_rules_did(world, seed):
    dice, moments = random.Random(seed), []
    other = project_factory.project("other")
    begin = datetime.now(UTC) + timedelta(days=1)
    for step in range(STEPS):
        moment = begin + timedelta(hours=step)
        with time_machine.travel(moment, tick=False):
            try:
                something_happens(dice, world, other)
            except PortalError:
                continue
            moments.append((moment, could_in(world.project), could_in(other)))

    assert len(moments) > STEPS / 4
    for moment, here, there in moments:
        for project, expected in ((world.project, here), (other, there)):
            found = {
                permission: {
                    one.person for one in who_could(permission, moment, project.pk)
                }
                for permission in ASKED
            }
            assert found == expected
    everywhere = could_everywhere()
    last = moments[-1][0]
    assert everywhere == {
        permission: {
            one.person
            for one in who_could(permission, last)
            if one.counts == "Every project"
        }
        for permission in everywhere
    }


def test_who_could_names_the_event_that_gave_the_role(world):
    now = datetime.now(UTC)

    held = who_could(Permission.APPROVAL_SIGN_OFF, now, world.project.pk)

    assert [(one.person_label, one.role_title, one.given_by.type) for one in held] == [
        (
            "Oscar Operations <operations_manager@agency.example>",
            "Operations manager",
            "member.added",
        ),
        (
            "Petra Program <program_manager@agency.example>",
            "Program manager",
            "project.created",
        ),
        ("Vera Validator <validator@agency.example>", "Validator", "member.added"),
    ]
    assert {one.counts for one in held} == {"Inspection"}


def test_an_agency_role_counts_in_every_project(world):
    held = who_could(Permission.AUDIT_READ, datetime.now(UTC), world.project.pk)

    found = {one.person: (one.counts, one.given_by.type) for one in held}
    assert found[str(world.auditor.pk)] == ("Every project", "account.created")
    assert str(world.developer.pk) not in found


def test_a_project_role_from_the_agency_opens_projects_only(world):
    now, manager = datetime.now(UTC), str(world.program_manager.pk)
    project_factory.project("other")

    opens = who_could(Permission.PROJECT_CREATE, now)
    signs = who_could(Permission.APPROVAL_SIGN_OFF, now)

    assert [one.counts for one in opens if one.person == manager] == [
        "Inspection",
        "Outside of projects",
    ]
    assert [one.counts for one in signs if one.person == manager] == ["Inspection"]


def test_nobody_could_anything_before_the_trail(world):
    assert holdings_at(LONG_AGO) == []


def test_a_closed_account_could_nothing(world):
    accounts.deactivate_person(person=world.validator, by=world.administrator)

    assert what_could([world.validator.pk], datetime.now(UTC)) == []


def test_what_could_lists_what_each_role_permits(world):
    [standing] = what_could([world.validator.pk], datetime.now(UTC))

    assert standing.holding.role == "validator"
    assert set(standing.permissions) == standing.holding.known_role.permissions


def test_an_erased_person_is_told_by_id(world):
    Disclosure.objects.filter(subject_id=world.validator.pk).delete()

    [standing] = what_could([world.validator.pk], datetime.now(UTC))

    assert standing.holding.person == str(world.validator.pk)
    assert standing.holding.person_label == "erased"


def test_a_role_that_is_gone_permits_nothing(world, monkeypatch):
    roles = {"auditor": None}
    monkeypatch.setattr("apps.audit.standing.ROLES", roles)

    held = holdings_at(datetime.now(UTC))

    assert all(not one.permits(Permission.AUDIT_READ) for one in held)
    assert {one.role_title for one in held} >= {"validator"}


def test_every_permission_says_what_it_permits():
    assert all(one.words and "_" not in one.words for one in Permission)
