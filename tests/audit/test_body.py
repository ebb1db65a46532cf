import json
import re
import socket
from uuid import uuid4

import pytest
import rfc8785
from django.db import Error, connection, transaction

from apps.audit.body import (
    MAX_BODY_BYTES,
    canonical,
    flaw_of,
    hash_of,
    mac_key_id,
    mac_of,
    named,
    portable,
)
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.record import record

HARD_VALUES = {
    "path": ["a", "ß€😀\u2028"],
    "Größe": [1.0, 0.1],
    "tiny": [1e-7, 5e-324, -0.0, 1e-320],
    "huge": [1e22, 1e300, 2**53, 2**63, -(2**53)],
    "nested": {"b": {"a": [None, True, False, '\x1f\x7f"\\/']}, "": []},
    "tuple": (1, "2"),
}


def recorded(person, **facts) -> AuditEvent:
    with transaction.atomic():
        event = record(
            EventType.ACCOUNT_EDITED, target=person, project=None, by=person, **facts
        )
    return AuditEvent.objects.get(pk=event.pk)


def test_the_body_says_who_did_what_to_what_and_when(world):
    event = AuditEvent.objects.filter(type="member.added").first()

    body = json.loads(event.body)

    assert body["v"] == 1
    assert body["id"] == str(event.event_id)
    assert body["time"] == event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert (body["action"], body["outcome"]) == ("member.added", "success")
    assert re.fullmatch("[A-Za-z0-9_-]{43}", body["actor"]["name"]["commitment"])
    assert body["actor"]["roles"] == event.actor_roles == ["program_manager"]
    assert body["object"]["id"] == event.target_id
    assert body["scope"]["project"] == str(world.project.pk)
    assert body["source"] == {"channel": "cli", "host": socket.gethostname()}
    assert body["request"] == {"id": "", "route": ""}
    assert {change["name"] for change in body["changes"]} == {
        "member",
        "member_id",
        "role",
    }


def test_every_event_is_hashed_and_sealed_as_its_columns_say(world):
    events = list(AuditEvent.objects.all())

    assert events
    for event in events:
        assert flaw_of(event) == ""
        assert bytes(event.leaf_hash) == hash_of(event.body)
        assert bytes(event.mac) == mac_of(event.leaf_hash)
        assert event.mac_kid == mac_key_id()


def test_hard_values_survive_the_way_through_the_database(developer):
    event = recorded(developer, changes=HARD_VALUES, reason="Because ß€😀.")

    assert flaw_of(event) == ""
    assert event.changes["path"] == HARD_VALUES["path"]
    assert event.changes["nested"]["b"]["a"] == HARD_VALUES["nested"]["b"]["a"]
    assert event.reason == "Because ß€😀."


def test_the_body_is_canonical_json(developer):
    body = recorded(developer, changes=HARD_VALUES).body

    assert rfc8785.dumps(json.loads(body)) == body.encode()


def test_portable_keeps_names_as_data_and_numbers_exact():
    assert portable({"b": 0.1, "a": [1.0, 2**53, True, None]}) == [
        {"name": "a", "value": [1, repr(float(2**53)), True, None]},
        {"name": "b", "value": "0.1"},
    ]


@pytest.mark.parametrize("changes", [{}, {"a": {}}, {"a": [1, {"b": "c"}], "d": [[]]}])
def test_named_turns_back_what_portable_wrote(changes):
    assert named(portable(changes)) == (
        {"a": []} if changes == {"a": {}} else changes or []
    )


def test_changes_too_large_for_an_entry_are_kept_as_their_digest(developer):
    event = recorded(developer, changes={"text": ["x" * MAX_BODY_BYTES, ""]})

    body = json.loads(event.body)
    assert "changes" not in body
    assert body["changes_sha256"]
    assert flaw_of(event) == ""
    assert event.changes["text"][0] == "x" * MAX_BODY_BYTES


def test_an_event_too_large_in_another_way_stops_its_change(developer):
    with pytest.raises(Error, match="audit_body_size"):
        recorded(developer, reason="x" * MAX_BODY_BYTES)


@pytest.mark.parametrize(
    ("event_type", "outcome"),
    [
        ("access.refused", "denied"),
        ("training.failed", "failure"),
        ("dataset.version_failed", "failure"),
        ("project.edited", "success"),
    ],
)
def test_the_outcome_follows_from_what_happened(event_type, outcome):
    assert EventType(event_type).outcome == outcome


def test_the_mac_depends_on_the_key(settings):
    settings.AUDIT_MAC_KEY = "one"
    leaf = hash_of(canonical({}))
    one = mac_of(leaf), mac_key_id()

    settings.AUDIT_MAC_KEY = "other"

    assert mac_of(leaf) != one[0]
    assert mac_key_id() != one[1]


def test_nobody_chooses_the_transaction_of_an_event(world):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_auditevent LIMIT 0")
        columns = [each.name for each in cursor.description]
        own = {"id", "xid", "event_id", "words"}
        taken = [each for each in columns if each not in own]
        cursor.execute(
            f"INSERT INTO audit_auditevent (xid, event_id, {', '.join(taken)}) "  # noqa: S608
            f"SELECT '3', %s, {', '.join(taken)} FROM audit_auditevent LIMIT 1 "
            "RETURNING xid = pg_current_xact_id()",
            [uuid4()],
        )
        assert cursor.fetchone() == (True,)
