import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import ApiToken, User
from tests.factories import people
from tests.permission_rows import PEOPLE


def issued(by, **kwargs) -> ApiToken:
    given = {"name": "t", "scope": "read", "days": 10, **kwargs}
    return actions.issue_token(by=by, **given)[0]


@pytest.mark.parametrize("person", PEOPLE)
def test_visible_to_shows_accounts_to_administrators_only(world, person):
    user = getattr(world, person)

    visible = set(User.objects.visible_to(user))

    expected = set(User.objects.all()) if person == "administrator" else {user}
    assert visible == expected


def test_people_leaves_out_services_and_closed_accounts(
    world, administrator, developer
):
    actions.deactivate_person(person=developer, by=administrator)

    found = list(User.objects.people())

    assert world.worker not in found
    assert developer not in found
    assert [one.full_name for one in found] == sorted(one.full_name for one in found)


@pytest.mark.parametrize("text", ["VERA", "validator@", "statistics"])
def test_matching_looks_in_name_address_and_organisation(
    world, validator, administrator, text
):
    actions.edit_person(
        person=validator, profile={"organisation": "Statistics"}, by=administrator
    )

    assert list(User.objects.matching(text)) == [validator]


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"agency_roles": ["king"]}, "agency_roles_known"),
        ({"is_superuser": True}, "no_superuser_beside_the_rules"),
        ({"email": "VALIDATOR@agency.example"}, "one_account_per_email"),
    ],
)
def test_the_database_refuses_what_no_action_would_write(
    world, developer, changes, constraint
):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        User.objects.filter(pk=developer.pk).update(**changes)


def test_names_of_an_account(auditor):
    assert str(auditor) == "Aud Itor (auditor@agency.example)"
    assert auditor.label == "Aud Itor <auditor@agency.example>"
    assert auditor.agency_role_titles == ["Auditor"]
    assert auditor.get_absolute_url() == f"/people/{auditor.pk}/"


def test_sign_in_finds_an_address_without_regard_to_case(db):
    person = people.person("Mixed.Case@agency.example")

    assert User.objects.get_by_natural_key("mixed.CASE@agency.example") == person


def test_usable_leaves_out_what_opens_no_door(world, validator, administrator):
    good = issued(validator)
    revoked = actions.revoke_token(token=issued(validator), by=validator)
    closed = issued(world.developer)
    actions.deactivate_person(person=world.developer, by=administrator)
    with time_machine.travel("2020-01-01T00:00:00Z"):
        expired = issued(validator)

    usable = set(ApiToken.objects.usable())

    assert usable == {good}
    assert good.is_usable
    assert not revoked.is_usable
    assert not expired.is_usable
    assert closed not in usable
    assert str(good) == f"t ({good.prefix}…)"


def test_note_use_writes_at_most_once_a_minute(validator):
    token = issued(validator)
    noted = []

    with time_machine.travel("2026-05-04T00:00:00Z", tick=False) as clock:
        for seconds in (0, 30, 61):
            clock.move_to(f"2026-05-04T00:{seconds // 60:02}:{seconds % 60:02}Z")
            ApiToken.objects.note_use(token, timezone.now())
            token.refresh_from_db()
            noted.append(token.last_used_at.strftime("%M:%S"))

    assert noted == ["00:00", "00:00", "01:01"]
