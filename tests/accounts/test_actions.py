import hashlib
from functools import partial

import pytest
import time_machine
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import ApiToken, User
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused, WrongState
from tests.factories import people
from tests.trail import (
    FailedHalfWay,
    no_room_for_events,
    nothing_recorded,
    one_event,
)

NEW = {"email": "new@agency.example", "full_name": "New", "password": people.PASSWORD}


def row(person: User) -> dict:
    return User.objects.filter(pk=person.pk).values().get()


def token_of(person: User, **kwargs) -> ApiToken:
    given = {"name": "report", "scope": "read", "days": 30, **kwargs}
    return actions.issue_token(by=person, **given)[0]


def test_create_person_records_event(administrator):
    with one_event("account.created") as events:
        person = actions.create_person(
            **{**NEW, "email": "New@Agency.example"},
            profile={"title": "Chief", "organisation": "Agency", "kind": "service"},
            agency_roles=["auditor", "ai_official", "auditor"],
            by=administrator,
        )

    person.refresh_from_db()
    assert (person.email, person.title, person.kind) == (
        "new@agency.example",
        "Chief",
        "person",
    )
    assert person.agency_roles == ["ai_official", "auditor"]
    assert person.check_password(people.PASSWORD)
    assert events[0].actor_id == administrator.pk
    assert events[0].target_id == str(person.pk)
    assert events[0].target_path == person.get_absolute_url()
    assert events[0].changes == {"agency_roles": [[], ["ai_official", "auditor"]]}


@pytest.mark.parametrize("person", ["outsider", "auditor", "program_manager", "worker"])
def test_create_person_refuses_who_is_no_administrator(world, person):
    with nothing_recorded(), pytest.raises(Refused, match="Only an administrator"):
        actions.create_person(**NEW, by=getattr(world, person))

    assert not User.objects.filter(email=NEW["email"]).exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "VALIDATOR@agency.example"}, "email"),
        ({"password": "too short"}, "password"),
        ({"password": "123456789987654321"}, "password"),
        (
            {"email": "correcthorse@a.example", "password": "correcthorse@a.example"},
            "password",
        ),
        ({"agency_roles": ["worker"]}, "agency_roles"),
        ({"agency_roles": ["validator"]}, "agency_roles"),
        ({"agency_roles": ["king", "auditor"]}, "agency_roles"),
    ],
)
def test_create_person_refuses_invalid_input(world, administrator, changes, field):
    count = User.objects.count()

    with nothing_recorded(), pytest.raises(Invalid) as caught:
        actions.create_person(**{**NEW, **changes}, by=administrator)

    assert list(caught.value.fields) == [field]
    assert User.objects.count() == count


def test_create_person_leaves_nothing_when_its_event_cannot_be_written(administrator):
    with nothing_recorded(), no_room_for_events(), pytest.raises(FailedHalfWay):
        actions.create_person(**NEW, by=administrator)

    assert not User.objects.filter(email=NEW["email"]).exists()


def test_edit_person_records_what_changed(developer, administrator):
    with one_event("account.edited") as events:
        actions.edit_person(
            person=developer,
            profile={"full_name": developer.full_name, "title": "Lead", "email": "x"},
            by=administrator,
        )

    developer.refresh_from_db()
    assert developer.title == "Lead"
    assert developer.email == "developer@agency.example"
    assert events[0].changes == {"title": ["", "Lead"]}


def test_edit_person_without_change_leaves_no_event(developer, administrator):
    with nothing_recorded():
        actions.edit_person(
            person=developer, profile={"title": developer.title}, by=administrator
        )


def test_set_agency_roles_records_event(developer, administrator):
    with one_event("account.roles_set") as events:
        actions.set_agency_roles(
            person=developer, agency_roles=["auditor"], by=administrator
        )

    assert row(developer)["agency_roles"] == ["auditor"]
    assert events[0].changes == {"agency_roles": [[], ["auditor"]]}


def test_set_agency_roles_without_change_leaves_no_event(auditor, administrator):
    with nothing_recorded():
        actions.set_agency_roles(
            person=auditor, agency_roles=["auditor"], by=administrator
        )


def test_set_agency_roles_refuses_a_role_not_given_by_hand(developer, administrator):
    with nothing_recorded(), pytest.raises(Invalid, match="worker"):
        actions.set_agency_roles(
            person=developer, agency_roles=["worker"], by=administrator
        )


def test_deactivate_person_closes_the_account_and_its_tokens(developer, administrator):
    token = token_of(developer)

    with one_event("account.deactivated") as events:
        actions.deactivate_person(person=developer, by=administrator)

    assert not row(developer)["is_active"]
    assert token not in ApiToken.objects.usable()
    assert events[0].changes == {"is_active": [True, False]}


def test_deactivate_person_is_not_possible_twice(developer, administrator):
    actions.deactivate_person(person=developer, by=administrator)

    with nothing_recorded(), pytest.raises(WrongState):
        actions.deactivate_person(person=developer, by=administrator)


REFUSED_CHANGES = {
    "edit": lambda person, by: actions.edit_person(
        person=person, profile={"title": "King"}, by=by
    ),
    "roles": lambda person, by: actions.set_agency_roles(
        person=person, agency_roles=["administrator"], by=by
    ),
    "deactivate": lambda person, by: actions.deactivate_person(person=person, by=by),
}


@pytest.mark.parametrize("change", REFUSED_CHANGES)
@pytest.mark.parametrize(
    ("asker", "subject"),
    [
        ("developer", "validator"),
        ("developer", "developer"),
        ("auditor", "validator"),
        ("administrator", "worker"),
    ],
)
def test_a_refused_change_of_an_account_leaves_nothing(world, change, asker, subject):
    person = getattr(world, subject)
    before = row(person)

    with nothing_recorded(), pytest.raises(Refused):
        REFUSED_CHANGES[change](person, getattr(world, asker))

    assert row(person) == before


@pytest.mark.parametrize("change", ["roles", "deactivate"])
def test_an_administrator_does_neither_to_themselves(administrator, change):
    with nothing_recorded(), pytest.raises(Refused):
        REFUSED_CHANGES[change](administrator, administrator)


@pytest.mark.parametrize("change", REFUSED_CHANGES)
def test_a_change_without_its_event_does_not_stay(developer, administrator, change):
    before = row(developer)

    with nothing_recorded(), no_room_for_events(), pytest.raises(FailedHalfWay):
        REFUSED_CHANGES[change](developer, administrator)

    assert row(developer) == before


@pytest.mark.parametrize(
    ("action", "event_type"),
    [
        (partial(actions.record_sign_in, address="::1"), "account.signed_in"),
        (actions.record_password_change, "account.password_changed"),
    ],
)
def test_facts_about_a_session_are_recorded(world, action, event_type):
    with one_event(event_type) as events:
        action(by=world.developer)

    assert events[0].target_id == str(world.developer.pk)
    with nothing_recorded(), pytest.raises(Refused, match="Service accounts"):
        action(by=world.worker)


def test_issue_token_keeps_only_a_digest(developer):
    with (
        time_machine.travel("2026-05-04T00:00:00Z", tick=False),
        one_event("token.issued") as events,
    ):
        token, secret = actions.issue_token(
            name="report", scope="write", days=30, by=developer
        )

    token.refresh_from_db()
    assert token.user == developer
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert secret.startswith(token.prefix)
    assert secret not in str(ApiToken.objects.values().get())
    assert token.expires_at.isoformat() == "2026-06-03T00:00:00+00:00"
    assert events[0].changes == {"scope": "write", "days": 30}
    assert secret not in str(AuditEvent.objects.values().last())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scope": "admin"}, "scope"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"days": -1}, "days"),
    ],
)
def test_issue_token_refuses_invalid_input(developer, changes, field):
    with nothing_recorded(), pytest.raises(Invalid) as caught:
        token_of(developer, **changes)

    assert list(caught.value.fields) == [field]
    assert not ApiToken.objects.exists()


def test_issue_token_keeps_a_project_of_ones_own(world):
    slug = world.project.slug

    with one_event("token.issued") as events:
        token = token_of(world.data_scientist, default_project=slug)

    assert token.default_project == world.project
    assert events[0].changes["default_project"] == slug


@pytest.mark.parametrize("slug", ["inspection", "nothing"])
def test_issue_token_refuses_a_project_of_others(world, slug):
    with nothing_recorded(), pytest.raises(Invalid) as caught:
        token_of(world.outsider, default_project=slug)

    assert list(caught.value.fields) == ["default_project"]


def test_issue_token_refuses_a_service_account(worker):
    with nothing_recorded(), pytest.raises(Refused):
        token_of(worker)


def test_revoke_token_records_event(developer):
    token = token_of(developer)

    with one_event("token.revoked") as events:
        revoked = actions.revoke_token(token=token, by=developer)

    assert revoked.revoked_at <= timezone.now()
    assert events[0].target_label == str(token)


def test_revoke_token_refuses_others_and_a_second_time(developer, administrator):
    token = token_of(developer)

    with nothing_recorded(), pytest.raises(Refused):
        actions.revoke_token(token=token, by=administrator)
    actions.revoke_token(token=token, by=developer)
    with nothing_recorded(), pytest.raises(WrongState):
        actions.revoke_token(token=token, by=developer)


def test_create_first_administrator_records_event(db):
    with one_event("account.created") as events:
        person = actions.create_first_administrator(
            email="Ada@agency.example", full_name="Ada", password=people.PASSWORD
        )

    assert person.email == "ada@agency.example"
    assert person.agency_roles == ["administrator"]
    assert events[0].actor_id == person.pk


def test_create_first_administrator_only_on_an_empty_portal(administrator):
    with nothing_recorded(), pytest.raises(Refused, match="has accounts"):
        actions.create_first_administrator(
            email="eve@agency.example", full_name="Eve", password=people.PASSWORD
        )


def test_create_first_administrator_refuses_a_weak_password(db):
    with nothing_recorded(), pytest.raises(Invalid, match="too short"):
        actions.create_first_administrator(
            email="ada@agency.example", full_name="Ada", password="short"
        )


def test_confirm_password_accepts_only_the_signers_own(validator, developer):
    actions.confirm_password(by=validator, password=people.PASSWORD)

    with pytest.raises(actions.WrongPassword) as caught:
        actions.confirm_password(by=validator, password="something else")

    assert caught.value.fields == {"password": "This is not your password."}


@pytest.mark.parametrize("password", ["", "\0", "x" * 100_000])
def test_confirm_password_survives_odd_passwords(validator, password):
    with pytest.raises(actions.WrongPassword):
        actions.confirm_password(by=validator, password=password)


def test_confirm_password_locks_after_repeated_failures(validator, developer, settings):
    with time_machine.travel("2026-05-04T00:00:00Z", tick=False) as clock:
        for _ in range(settings.AXES_FAILURE_LIMIT):
            with pytest.raises(actions.WrongPassword):
                actions.confirm_password(by=validator, password="wrong")
        with pytest.raises(actions.WrongPassword):
            actions.confirm_password(by=validator, password=people.PASSWORD)

        actions.confirm_password(by=developer, password=people.PASSWORD)
        clock.shift(16 * 60)
        actions.confirm_password(by=validator, password=people.PASSWORD)


def test_a_failed_sign_in_is_kept_of_a_known_account_only(validator):
    with one_event("account.sign_in_failed") as known:
        actions.record_sign_in_failure(
            email=validator.email.upper(), address="192.0.2.1", is_locked=False
        )
    with one_event("account.sign_in_failed") as unknown:
        actions.record_sign_in_failure(
            email="my secret password", address="192.0.2.1", is_locked=False
        )

    assert known[0].target_id == str(validator.pk)
    assert known[0].actor_label == "somebody not signed in"
    assert known[0].outcome == "failure"
    assert unknown[0].target_id == ""
    assert "secret" not in unknown[0].body
    assert unknown[0].changes == {"from_address": "192.0.2.1"}


def test_attempts_at_a_locked_account_are_kept_once(validator):
    def attempt(is_locked: bool) -> None:
        actions.record_sign_in_failure(
            email=validator.email, address="192.0.2.1", is_locked=is_locked
        )

    for is_locked in (False, True, True, True, False, True):
        attempt(is_locked)

    kept = AuditEvent.objects.filter(target_id=str(validator.pk)).order_by("-pk")[:4]
    assert [event.type.partition(".")[2] for event in kept] == [
        "locked_out",
        "sign_in_failed",
        "locked_out",
        "sign_in_failed",
    ]
