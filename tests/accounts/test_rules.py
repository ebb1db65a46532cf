import pytest

from apps.accounts import actions, rules
from apps.accounts.models import ApiToken
from tests.permission_rows import PEOPLE

ONLY_ADMINISTRATORS = "Only an administrator can do this."
NOT_SERVICE = "Service accounts belong to the portal and cannot be edited."
ABOUT_PEOPLE = {
    rules.can_edit_person: "",
    rules.can_set_agency_roles: "You cannot change your own agency roles.",
    rules.can_deactivate_person: "You cannot deactivate your own account.",
}


@pytest.fixture
def token(validator) -> ApiToken:
    return actions.issue_token(name="t", scope="read", days=1, by=validator)[0]


@pytest.mark.parametrize("person", PEOPLE)
def test_can_manage_accounts(world, person):
    decision = rules.can_manage_accounts(getattr(world, person))

    expected = "" if person == "administrator" else ONLY_ADMINISTRATORS
    assert decision.reason == expected
    assert decision.allowed == (person == "administrator")
    assert rules.can_create_person is rules.can_manage_accounts


@pytest.mark.parametrize("rule", ABOUT_PEOPLE)
@pytest.mark.parametrize(
    ("asker", "subject", "reason"),
    [
        ("administrator", "developer", ""),
        ("administrator", "worker", NOT_SERVICE),
        ("administrator", "administrator", "own"),
        ("developer", "validator", ONLY_ADMINISTRATORS),
        ("auditor", "validator", ONLY_ADMINISTRATORS),
    ],
)
def test_rules_about_people(world, rule, asker, subject, reason):
    decision = rule(getattr(world, asker), getattr(world, subject))

    expected = ABOUT_PEOPLE[rule] if reason == "own" else reason
    assert decision.reason == expected
    assert decision.allowed == (expected == "")


def test_can_deactivate_person_only_once(administrator, developer):
    developer.is_active = False

    decision = rules.can_deactivate_person(administrator, developer)

    assert decision.reason == "This account is already deactivated."


def test_service_accounts_neither_sign_in_nor_have_tokens(worker, developer):
    assert rules.can_sign_in(worker).reason == "Service accounts do not sign in."
    assert rules.can_issue_token(worker).reason == (
        "Service accounts have no API tokens."
    )
    assert rules.can_sign_in(developer)
    assert rules.can_issue_token(developer)


@pytest.mark.parametrize(
    ("asker", "reason"),
    [("validator", ""), ("administrator", "Only its owner can revoke a token.")],
)
def test_can_revoke_token(world, token, asker, reason):
    assert rules.can_revoke_token(getattr(world, asker), token).reason == reason


def test_can_revoke_token_only_once(validator, token):
    revoked = actions.revoke_token(token=token, by=validator)

    decision = rules.can_revoke_token(validator, revoked)

    assert decision.reason == "This token is already revoked."
