"""Personal text stands behind commitments; erased, it leaves every proof whole."""

import base64
import hashlib
import json
from uuid import UUID

import pytest
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts import actions as accounts
from apps.audit import queries
from apps.audit.body import flaw_of
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Disclosure
from apps.audit.personal import (
    ERASED,
    Personal,
    commitment_of,
    commitments_in,
    disclosure_of,
    revealed,
)
from apps.audit.record import personal, record
from apps.projects import actions as projects


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_commitment_hashes_the_salted_text():
    disclosure = disclosure_of("c2FsdA", "Ada ß")

    assert json.loads(unpadded(disclosure)) == ["c2FsdA", "Ada ß"]
    digest = hashlib.sha256(disclosure.encode()).digest()
    assert unpadded(commitment_of(disclosure)) == digest


def test_no_body_holds_the_name_or_address_of_a_person(world, administrator):
    accounts.edit_person(
        person=world.developer, profile={"full_name": "Dora Dev"}, by=administrator
    )
    projects.add_member(
        project=world.project,
        person=world.outsider,
        role="validator",
        by=world.program_manager,
    )

    bodies = "".join(AuditEvent.objects.values_list("body", flat=True))

    assert "@" not in bodies
    for person in (*vars(world).values(),):
        if full_name := getattr(person, "full_name", ""):
            assert full_name not in bodies
    assert "Dora" not in bodies


def test_pages_and_exports_tell_the_names(world, administrator):
    accounts.edit_person(
        person=world.developer, profile={"full_name": "Dora Dev"}, by=administrator
    )

    event = AuditEvent.objects.latest("pk")

    assert event.actor_label == administrator.label
    assert event.target_label == "Dora Dev (developer@agency.example)"
    assert event.changes["full_name"][1] == "Dora Dev"


def test_one_name_of_a_person_is_kept_once(world, validator):
    before = Disclosure.objects.count()

    for _ in range(3):
        accounts.record_sign_in(address="192.0.2.1", by=validator)

    kept = Disclosure.objects.filter(subject_id=validator.pk)
    values = [validator.label, str(validator), "192.0.2.1"]
    assert sorted(kept.values_list("value", flat=True)) == sorted(values)
    assert Disclosure.objects.count() <= before + 3


def test_an_erased_person_leaves_events_that_are_still_whole(world, validator):
    accounts.record_sign_in(address="192.0.2.1", by=validator)
    Disclosure.objects.filter(subject_id=validator.pk).delete()

    event = AuditEvent.objects.latest("pk")

    assert event.actor_label == event.target_label == ERASED
    assert event.changes == {"from_address": ERASED}
    assert event.actor_id == validator.pk
    assert flaw_of(event) == ""


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_disclosure SET value = 'Mallory'", "TRUNCATE audit_disclosure"],
)
def test_the_database_refuses_to_change_a_disclosure(world, statement):
    with (
        pytest.raises(Error, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_names_of_many_events_cost_one_query(world):
    events = list(AuditEvent.objects.all())

    with CaptureQueriesContext(connection) as found:
        labels = [event.actor_label for event in queries.with_names(events)]

    assert len(found) == 1
    assert "Petra Program <program_manager@agency.example>" in labels


def test_personal_text_is_found_in_changes_too_large_for_a_body(validator):
    with transaction.atomic():
        event = record(
            EventType.ACCOUNT_EDITED,
            target=validator,
            project=None,
            by=validator,
            changes={"who": personal(validator), "text": "x" * 70_000},
        )

    event = AuditEvent.objects.get(pk=event.pk)
    assert event.payload
    assert "@" not in event.payload
    assert event.changes["who"] == validator.label


def test_only_whole_commitments_are_revealed():
    text = {"commitment": "abc"}
    other = {"commitment": "abc", "more": 1}

    assert commitments_in([text, {"a": other}]) == {"abc"}
    assert revealed([text, other], {"abc": "Ada"}) == ["Ada", other]


def test_the_same_text_of_two_people_has_two_commitments(db):
    texts = {Personal(UUID(int=number), "192.0.2.1") for number in (1, 2)}

    known = Disclosure.objects.committed(texts)

    assert len(set(known.values())) == 2
    assert Disclosure.objects.committed(texts) == known
