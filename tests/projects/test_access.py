"""Restricting a thing and showing it to people one by one, of every kind there is."""

import pytest
from django.urls import resolve, reverse

from apps.accounts import actions as accounts
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused, WrongState
from apps.projects import rules
from apps.projects.actions import access, add_member, remove_member
from tests.counting import queries_of
from tests.factories import datasets, people, projects, registry
from tests.trail import FailedHalfWay, no_room_for_events, nothing_recorded, one_event


@pytest.fixture
def dataset(project, data_scientist):
    return datasets.dataset(project, data_scientist)


@pytest.fixture
def model(project, data_scientist):
    return registry.model_version(project, data_scientist).model


@pytest.fixture(params=["dataset", "model"])
def thing(request):
    return request.getfixturevalue(request.param)


def visible(thing, person) -> bool:
    return type(thing).objects.visible_to(person).filter(pk=thing.pk).exists()


def event_type(thing, verb: str) -> str:
    return f"{thing.sharing.noun}.{verb}"


def colleague(world):
    """A second data scientist, who has made nothing."""
    person = people.person("colleague@agency.example")
    add_member(
        project=world.project,
        person=person,
        role="data_scientist",
        by=world.program_manager,
    )
    return person


def test_restrict_leaves_a_thing_to_its_creator_and_who_asked(thing, world):
    other = colleague(world)

    with one_event(event_type(thing, "restricted")) as events:
        access.restrict(thing=thing, by=other)

    seers = {
        name: visible(thing, getattr(world, name))
        for name in ("data_scientist", "validator", "outsider", "auditor", "worker")
    }
    assert [name for name, sees in seers.items() if sees] == [
        "data_scientist",
        "auditor",
        "worker",
    ]
    assert visible(thing, other)
    assert events[0].changes == {
        "is_restricted": [False, True],
        "people": sorted([other.label, world.data_scientist.label]),
    }


def test_who_manages_the_members_can_open_it_whoever_leaves(thing, world):
    access.restrict(thing=thing, by=world.data_scientist)
    membership = world.project.memberships.get(user=world.data_scientist)
    remove_member(membership=membership, by=world.program_manager)

    access.open_to_members(thing=thing, by=world.program_manager)

    assert visible(thing, world.validator)


def test_who_leaves_the_project_loses_what_they_were_shown(thing, world):
    access.restrict(thing=thing, by=world.data_scientist)
    access.grant(thing=thing, person=world.validator, by=world.data_scientist)
    membership = world.project.memberships.get(user=world.validator)

    remove_member(membership=membership, by=world.program_manager)

    assert not visible(thing, world.validator)
    add_member(
        project=world.project,
        person=world.validator,
        role="validator",
        by=world.program_manager,
    )
    assert not visible(thing, world.validator)
    assert visible(thing, world.data_scientist)


def test_a_program_manager_of_another_project_does_not_see_it(
    thing, data_scientist, validator
):
    access.restrict(thing=thing, by=data_scientist)
    manager = projects.project("elsewhere").created_by
    add_member(
        project=manager.memberships.get().project,
        person=validator,
        role="program_manager",
        by=manager,
    )

    assert not visible(thing, manager)
    assert not visible(thing, validator)


def test_open_to_members_ends_the_grants_of_members(thing, validator, data_scientist):
    access.restrict(thing=thing, by=data_scientist)
    access.grant(thing=thing, person=validator, by=data_scientist)

    with one_event(event_type(thing, "opened")):
        access.open_to_members(thing=thing, by=data_scientist)

    access.restrict(thing=thing, by=data_scientist)
    assert not visible(thing, validator)


def test_open_to_members_leaves_outsiders_what_they_were_shown(
    model, outsider, data_scientist
):
    access.restrict(thing=model, by=data_scientist)
    access.grant(thing=model, person=outsider, by=data_scientist)

    access.open_to_members(thing=model, by=data_scientist)

    assert visible(model, outsider)


@pytest.mark.parametrize("is_restricted", [True, False])
def test_a_thing_is_restricted_and_opened_once(thing, data_scientist, is_restricted):
    again = access.open_to_members
    if is_restricted:
        access.restrict(thing=thing, by=data_scientist)
        again = access.restrict

    with pytest.raises(WrongState, match=f"This {thing.sharing.noun} is .* already"):
        again(thing=thing, by=data_scientist)


def test_grant_shows_a_thing_and_revoke_grant_hides_it(
    thing, validator, data_scientist
):
    access.restrict(thing=thing, by=data_scientist)

    with one_event(event_type(thing, "granted")) as events:
        access.grant(thing=thing, person=validator, by=data_scientist)
    assert visible(thing, validator)
    assert events[0].changes == {"person": validator.label}

    with one_event(event_type(thing, "grant_revoked")):
        access.revoke_grant(thing=thing, person=validator, by=data_scientist)
    assert not visible(thing, validator)


def test_grant_opens_one_model_to_an_outsider(model, outsider, data_scientist):
    other = registry.model_version(model.project, data_scientist, "other").model

    access.grant(thing=model, person=outsider, by=data_scientist)

    assert visible(model, outsider)
    assert not visible(other, outsider)


def test_grant_shows_a_dataset_to_members_only(dataset, outsider, data_scientist):
    access.restrict(thing=dataset, by=data_scientist)

    with pytest.raises(Invalid, match="no member"), nothing_recorded():
        access.grant(thing=dataset, person=outsider, by=data_scientist)


def test_grant_of_an_open_dataset_is_a_wrong_state(dataset, validator, data_scientist):
    with pytest.raises(WrongState, match="restrict it first"):
        access.grant(thing=dataset, person=validator, by=data_scientist)


def test_grant_refuses_who_has_it_or_is_no_active_person(thing, world):
    by = world.data_scientist
    access.restrict(thing=thing, by=by)
    access.grant(thing=thing, person=world.validator, by=by)
    gone = accounts.deactivate_person(person=world.developer, by=world.administrator)

    with pytest.raises(Invalid, match="has access already"):
        access.grant(thing=thing, person=world.validator, by=by)
    for person in (gone, world.worker):
        with pytest.raises(Invalid, match="active accounts"):
            access.grant(thing=thing, person=person, by=by)


def test_revoke_grant_refuses_oneself_and_who_has_none(
    thing, validator, data_scientist
):
    access.restrict(thing=thing, by=data_scientist)

    with pytest.raises(Refused, match="your own access"):
        access.revoke_grant(thing=thing, person=data_scientist, by=data_scientist)
    with pytest.raises(Invalid, match="was not given access"):
        access.revoke_grant(thing=thing, person=validator, by=data_scientist)


@pytest.mark.parametrize(
    "action", [access.restrict, access.open_to_members, access.grant]
)
def test_who_sees_a_thing_is_chosen_by_who_may(thing, validator, outsider, action):
    person = {"person": outsider} if action is access.grant else {}

    with pytest.raises(Refused, match="Only a program manager or a data scientist"):
        action(thing=thing, by=validator, **person)


def test_who_cannot_see_a_thing_opens_it_to_nobody(thing, world):
    access.restrict(thing=thing, by=world.data_scientist)
    other = colleague(world)

    with pytest.raises(Refused, match="You cannot see this restricted"):
        access.open_to_members(thing=thing, by=other)
    with pytest.raises(Refused, match="You cannot see this restricted"):
        access.grant(thing=thing, person=other, by=other)


@pytest.mark.parametrize(
    "change",
    [
        lambda thing, by, _: access.open_to_members(thing=thing, by=by),
        lambda thing, by, person: access.grant(thing=thing, person=person, by=by),
    ],
    ids=["open_to_members", "grant"],
)
def test_a_failure_half_way_leaves_access_as_it_was(
    thing, validator, data_scientist, change
):
    access.restrict(thing=thing, by=data_scientist)

    with no_room_for_events(), pytest.raises(FailedHalfWay):
        change(thing, data_scientist, validator)

    thing.refresh_from_db()
    assert thing.is_restricted
    assert not visible(thing, validator)
    assert AuditEvent.objects.latest("pk").type == event_type(thing, "restricted")


def test_the_list_of_grants_asks_the_same_for_many(thing, world):
    thing = access.restrict(thing=thing, by=world.data_scientist)
    few = queries_of(lambda: rules.grants_of(world.data_scientist, thing))
    for person in (world.validator, world.developer, world.operations_manager):
        access.grant(thing=thing, person=person, by=world.data_scientist)

    pairs = rules.grants_of(world.data_scientist, thing)

    assert queries_of(lambda: rules.grants_of(world.data_scientist, thing)) == few
    assert [person.full_name for person, may_revoke in pairs if not may_revoke] == [
        "Dan Data"
    ]


def test_the_panel_leads_to_the_addresses_of_its_buttons(thing, world, client_of):
    client, place = client_of(world.data_scientist), thing.get_absolute_url()
    noun, space = thing.sharing.noun, thing._meta.app_label

    def action(name: str, **arguments) -> str:
        kwargs = {**resolve(place).kwargs, **arguments}
        return f'action="{reverse(f"{space}:{name}", kwargs=kwargs)}"'

    assert action(f"restrict_{noun}") in client.get(place).text
    access.restrict(thing=thing, by=world.data_scientist)
    access.grant(thing=thing, person=world.validator, by=world.data_scientist)
    page = client.get(place).text

    assert action(f"open_{noun}") in page
    assert action(f"grant_{noun}") in page
    assert action(f"revoke_{noun}_grant", person_pk=world.validator.pk) in page
