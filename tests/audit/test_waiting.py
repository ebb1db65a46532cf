import json
import re
from threading import Thread
from time import monotonic, sleep

import pytest
from django.db import connection

from apps.audit.models import AuditEvent, Head
from apps.audit.waiting import await_sealed, seal_header, seal_sentence
from tests.audit.sealing import happen, sealer_in
from tests.factories import people


@pytest.fixture
def sealer(committed, tmp_path):
    return sealer_in(tmp_path)


def seal_soon(sealer) -> Thread:
    def work():
        sleep(0.3)
        sealer.seal_and_tell()
        connection.close()

    thread = Thread(target=work)
    thread.start()
    return thread


def seconds(question):
    start = monotonic()
    return question(), monotonic() - start


def test_await_sealed_answers_with_the_place_of_a_sealed_event(sealer):
    events = happen(3)
    sealer.seal_and_tell()

    place, took = seconds(lambda: await_sealed(events[2].event_id))

    assert place == 2
    assert took < 1


def test_await_sealed_waits_for_the_sealer(sealer):
    sealer.seal_and_tell()
    [event] = happen(1)
    thread = seal_soon(sealer)

    place, took = seconds(lambda: await_sealed(event.event_id, timeout=10))

    thread.join()
    assert place == 0
    assert 0.1 < took < 8


def test_await_sealed_gives_up_in_time(sealer):
    sealer.seal_and_tell()
    [event] = happen(1)

    place, took = seconds(lambda: await_sealed(event.event_id, timeout=0.3))

    assert place is None
    assert 0.3 <= took < 2


@pytest.mark.parametrize("state", ["never ran", "stopped", "refuses"])
def test_await_sealed_does_not_wait_for_nobody(sealer, state):
    [event] = happen(1)
    sealer.seal_and_tell()
    [event] = happen(1)
    if state == "never ran":
        Head.objects.all().delete()
    elif state == "stopped":
        Head.objects.update(seen_at="2026-01-02T03:04:05Z")
    else:
        Head.objects.update(obstacle="A sentence.")

    place, took = seconds(lambda: await_sealed(event.event_id, timeout=30))

    assert place is None
    assert took < 5


def test_outside_a_request_there_is_nothing_to_say(db):
    assert seal_sentence() == ""
    assert seal_header() == {}


@pytest.fixture
def administrator(committed):
    return people.administrator()


def set_roles(client, person):
    return client.post(
        f"/people/{person.pk}/set-agency-roles/",
        {"agency_roles": ["auditor"]},
        follow=True,
    )


def test_a_page_says_that_the_seal_follows(administrator, client_of):
    person = people.person("bo@agency.example", "Bo")

    page = set_roles(client_of(administrator), person).content.decode()

    assert "Roles set. Recorded; the seal follows." in page


def test_a_page_says_as_which_event_it_is_sealed(sealer, administrator, client_of):
    person = people.person("bo@agency.example", "Bo")
    sealer.seal_and_tell()
    before = Head.objects.get().size
    thread = seal_soon(sealer)

    page = set_roles(client_of(administrator), person).content.decode()

    thread.join()
    [place] = re.findall(r"Roles set\. Sealed as event (\d+) of the trail", page)
    event = AuditEvent.objects.get(leaf__leaf_index=place)
    assert (event.type, event.target_id) == ("account.roles_set", str(person.pk))
    assert int(place) >= before


def test_a_program_reads_the_place_in_a_header(sealer, administrator, api_of):
    person = people.person("bo@agency.example", "Bo")
    program = api_of(administrator)
    sealer.seal_and_tell()
    thread = seal_soon(sealer)

    answer = program.post(
        f"/api/v1/people/{person.pk}/set-agency-roles",
        json.dumps({"agency_roles": ["auditor"]}),
        content_type="application/json",
    )

    thread.join()
    assert answer.status_code == 200
    place = answer["X-Audit-Sealed-As"]
    assert AuditEvent.objects.get(leaf__leaf_index=place).type == "account.roles_set"


def test_a_program_reads_no_header_while_the_seal_follows(administrator, api_of):
    person = people.person("bo@agency.example", "Bo")

    answer = api_of(administrator).post(
        f"/api/v1/people/{person.pk}/set-agency-roles",
        json.dumps({"agency_roles": ["auditor"]}),
        content_type="application/json",
    )

    assert answer.status_code == 200
    assert "X-Audit-Sealed-As" not in answer


def test_the_page_of_members_says_it_too(world, client_of):
    member = world.project.memberships.get(user=world.developer)

    page = client_of(world.program_manager).post(
        f"/members/{member.pk}/change-role/", {"role": "validator"}, follow=True
    )

    assert "Role changed. Recorded; the seal follows." in page.content.decode()
