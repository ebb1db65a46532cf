"""Lists that no app's own test counts: many rows cost what few cost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.approvals.actions import delegate_signing
from apps.projects.actions import access, add_member
from tests.costs import queries_of
from tests.factories import (
    approvals,
    datasets,
    exceptions,
    people,
    registry,
    validation,
)

API = "/api/v1"


def test_validation_plans(project, validator, world, api_of, client_of):
    model = registry.model_version(project, world.data_scientist).model
    below = f"/projects/{project.slug}/models/{model.name}/validation-plans"
    asked = ((api_of(validator), API + below), (client_of(validator), f"{below}/"))
    for number in range(2):
        _write_plan(model, validator, number)
    few = [queries_of(client, address) for client, address in asked]
    for number in range(2, 14):
        _write_plan(model, validator, number)

    assert [queries_of(client, address) for client, address in asked] == few


def _write_plan(model, by, number: int) -> None:
    criterion = {**validation.CRITERIA[0], "threshold": 0.1 + number / 100}
    validation.plan(model, by, criteria=[criterion])


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_grants(project, data_scientist, program_manager, api_of, kind):
    if kind == "dataset":
        thing = datasets.dataset(project, data_scientist)
        address = f"{API}/datasets/{thing.pk}/grants"
    else:
        thing = registry.model_version(project, data_scientist).model
        address = f"{API}/projects/{project.slug}/models/{thing.name}/grants"
    access.restrict(thing=thing, by=data_scientist)
    api = api_of(data_scientist)
    few = queries_of(api, address)
    for number in range(12):
        person = people.person(f"granted{number}@agency.example")
        add_member(project=project, person=person, role="developer", by=program_manager)
        access.grant(thing=thing, person=person, by=data_scientist)

    assert queries_of(api, address) == few


def test_delegations(project, validator, developer, world, api_of, client_of):
    below = f"/projects/{project.slug}/delegations"
    asked = ((api_of(validator), API + below), (client_of(validator), f"{below}/"))
    _delegate(project, developer, validator, 0)
    few = [queries_of(client, address) for client, address in asked]
    for number in range(1, 12):
        _delegate(project, developer, validator, number)

    assert [queries_of(client, address) for client, address in asked] == few


def _delegate(project, receiver, by, number: int) -> None:
    day = timezone.localdate() + timedelta(days=number)
    delegate_signing(
        project=project, receiver=receiver, starts_on=day, ends_on=day, by=by
    )


def test_waivers(project, world, ai_official, api_of, client_of):
    below = f"/projects/{project.slug}/waivers/"
    client, api = client_of(ai_official), api_of(ai_official)
    asked = ((client, "/waivers/"), (client, below), (api, f"{API}/waivers"))
    exceptions.waiver(world, days=1)
    few = [queries_of(client, address) for client, address in asked]
    for days in range(2, 12):
        exceptions.waiver(world, days=days)

    assert [queries_of(client, address) for client, address in asked] == few


def test_emergencies(project, world, program_manager, api_of, client_of):
    below = f"/projects/{project.slug}/emergencies/"
    client, api = client_of(program_manager), api_of(program_manager)
    asked = ((client, below), (api, f"{API}/emergencies"))
    exceptions.emergency(world)
    few = [queries_of(client, address) for client, address in asked]
    for name in ("second", "third", "fourth"):
        version = approvals.validated_version(world, name)
        exceptions.emergency(world, registry.with_file(version, f"{name}.txt"))

    assert [queries_of(client, address) for client, address in asked] == few


def test_practice_statements(project, world, data_scientist, api_of, client_of):
    version = exceptions.high_version(world)
    below = f"/projects/{project.slug}/models/{version.model.name}/versions/1"
    asked = (
        (client_of(data_scientist), f"{below}/practices/"),
        (api_of(data_scientist), f"{API}{below}/practices"),
        (api_of(data_scientist), f"{API}{below}/practice-statements"),
    )
    few = [queries_of(client, address) for client, address in asked]
    for number in range(10):
        exceptions.state(version, data_scientist, text=f"Course {number}.")

    assert [queries_of(client, address) for client, address in asked] == few


def test_inbox(world, api_of):
    api = api_of(world.validator)
    approvals.request(world, approvals.validated_version(world, "first"))
    few = queries_of(api, f"{API}/inbox")
    for name in ("second", "third", "fourth"):
        approvals.request(world, approvals.validated_version(world, name))

    assert queries_of(api, f"{API}/inbox") == few
