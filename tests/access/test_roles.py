import pytest

from apps.access.permissions import Permission
from apps.access.roles import (
    ADMINISTRATOR,
    AGENCY_ROLES,
    AI_OFFICIAL,
    AUDITOR,
    GRANTABLE_AGENCY_ROLES,
    PROJECT_ROLES,
    ROLES,
    WORKER,
    titles,
)

READING = {"audit.export", "audit.read", "project.read"}


def test_permissions_stand_in_alphabetical_order():
    values = [permission.value for permission in Permission]

    assert values == sorted(values)
    assert [p.name for p in Permission] == [
        value.replace(".", "_").upper() for value in values
    ]


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_held_by_somebody(permission):
    assert titles(permission)


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.slug)
def test_every_role_explains_itself(role):
    assert ROLES[role.slug] is role
    assert role.slug == role.title.lower().replace(" ", "_")
    assert role.description.endswith(".")
    assert role.permissions


def test_every_role_counts_in_one_reach():
    assert {*PROJECT_ROLES, *AGENCY_ROLES} == set(ROLES.values())
    assert not {*PROJECT_ROLES} & {*AGENCY_ROLES}


def test_an_auditor_reads_holds_back_agrees_to_remove_and_has_runs_done_again():
    own = {
        Permission.AUDIT_APPROVE_PRUNE,
        Permission.AUDIT_HOLD,
        Permission.HEALTH_READ,
        Permission.REGENERATION_REQUEST,
    }

    assert AUDITOR.permissions == READING | own


def test_nobody_asks_for_a_removal_and_agrees_to_it_in_one_role():
    for role in ROLES.values():
        both = {Permission.AUDIT_PRUNE, Permission.AUDIT_APPROVE_PRUNE}
        assert not both <= role.permissions


@pytest.mark.parametrize(
    "role", [ADMINISTRATOR, AUDITOR, AI_OFFICIAL, WORKER], ids=lambda role: role.slug
)
def test_agency_roles_never_sign(role):
    assert Permission.APPROVAL_SIGN_OFF not in role.permissions


def test_who_asks_for_approval_holds_no_right_to_sign():
    for role in ROLES.values():
        assert (
            not {
                Permission.APPROVAL_REQUEST,
                Permission.APPROVAL_SIGN_OFF,
            }
            <= role.permissions
        )


def test_nobody_is_made_a_worker_by_hand():
    assert WORKER not in GRANTABLE_AGENCY_ROLES


def test_titles_name_the_roles_for_a_sentence():
    assert titles(Permission.TRAINING_LAUNCH) == "a data scientist"
    assert titles(Permission.AUDIT_EXPORT) == "a program manager or an auditor"
    assert titles(Permission.PROJECT_DETERMINE_IMPACT) == "an AI official"
