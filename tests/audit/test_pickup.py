"""What a pass of the sealer looks at, and that it is no more than what is new."""

from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from psycopg import Cursor

from apps.audit import pickup, proofreading
from apps.audit.body import flaw_of
from apps.audit.inspection import inspect
from apps.audit.models import AuditEvent, Head
from apps.audit.sealer import HEAD_ID
from apps.audit.signing import CannotSeal
from apps.audit.transparency.checkpoint import Checkpoint
from tests.audit.sealing import (
    ORIGIN,
    connect,
    happen,
    newest,
    sealed,
    sealer_in,
    tampering,
    undo_tampering,
)

SEALED = 300
COPY = """
INSERT INTO audit_auditevent (event_id, at, type, outcome, actor_id, target_type,
    target_id, request_id, body, payload, leaf_hash, mac, mac_kid)
SELECT gen_random_uuid(), at, type, outcome, actor_id, target_type, target_id,
    request_id, body, payload, leaf_hash, mac, mac_kid FROM audit_auditevent LIMIT 1
"""


@pytest.fixture
def sealer(committed, tmp_path):
    return sealer_in(tmp_path)


@contextmanager
def open_transaction():
    """Hold a transaction open that recorded an event before all that follows."""
    with connect() as session:
        session.execute(COPY)
        yield
        session.rollback()


def scans(plan: dict) -> list[dict]:
    """List the parts of a plan that read the events."""
    own = [plan] if plan.get("Relation Name") == "audit_auditevent" else []
    return own + [one for part in plan.get("Plans", []) for one in scans(part)]


@transaction.atomic
def explained() -> list[dict]:
    """Run the statement of a pass, and say how."""
    head, moment = pickup.lock_head(HEAD_ID)
    statement, values = pickup.statement(head, moment, 10_000)
    with Cursor(connection.connection) as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
        [[[answer]]] = cursor.fetchall()
    transaction.set_rollback(True)
    return scans(answer["Plan"])


@pytest.mark.parametrize("is_counted", [False, True])
def test_a_pass_behind_an_open_transaction_reads_only_what_is_new(sealer, is_counted):
    happen(1)
    with open_transaction():
        happen(SEALED)
        sealer.seal()
        happen(2)
        if is_counted:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE audit_auditevent")

        ranges = explained()

    assert Head.objects.get().previous.split(":")[2]
    assert len(ranges) == 2
    for one in ranges:
        assert one["Node Type"] in {"Index Scan", "Index Only Scan"}
        assert one["Index Name"] == "audit_by_xid"
        assert "xid" in one["Index Cond"]
    read = [one["Actual Rows"] + one["Rows Removed by Filter"] for one in ranges]
    assert sorted(read) == [0, 2]


def test_a_pass_that_catches_up_goes_on_where_the_last_one_ended(committed, tmp_path):
    sealer = sealer_in(tmp_path, batch=100)
    happen(SEALED)
    sealer.seal()

    [read] = explained()

    assert read["Actual Rows"] + read["Rows Removed by Filter"] == SEALED - 100


def test_an_idle_pass_asks_once(sealer, django_assert_num_queries):
    happen(2)
    sealer.seal()

    with django_assert_num_queries(1):
        assert sealer.seal() == 0


def test_an_idle_sealer_notices_what_an_anchor_holds(sealer):
    happen(1)
    sealer.seal()
    sealer.guard.saw("the anchor", Checkpoint(ORIGIN, 99, bytes(32)))

    with pytest.raises(CannotSeal, match="Database behind anchor the anchor"):
        sealer.seal()


def test_an_open_transaction_is_no_news_until_it_commits(sealer):
    happen(1)
    with connect() as session:
        session.execute(COPY)
        happen(1)
        sealer.seal()
        size, is_news = pickup.has_news(HEAD_ID)
        assert (size, is_news) == (len(sealed()), False)
        session.commit()

    assert pickup.has_news(HEAD_ID) == (size, True)


def test_a_catching_up_sealer_has_news(committed, tmp_path):
    sealer = sealer_in(tmp_path, batch=2)
    happen(2)
    sealer.seal()

    assert pickup.has_news(HEAD_ID)[1]
    assert sealer.seal() == 0
    assert not pickup.has_news(HEAD_ID)[1]


@pytest.mark.parametrize("size", [1, 255, 256, 257])
def test_the_edges_of_a_tile_are_sealed_and_inspected(sealer, size):
    happen(size - 1)
    sealer.seal()
    happen(1)

    sealer.seal()

    assert newest(sealer)[0] == size
    assert [one for piece in inspect() for one in piece] == []


CHANGES = [
    "body = replace(body, 'number', 'mumber')",
    "body = '{}'",
    "body = '[]'",
    "body = '\"id\"'",
    "body = 'no json'",
    "body = body || ' '",
    "event_id = gen_random_uuid()",
    "at = at + interval '1 microsecond'",
    "at = 'infinity'",
    "at = '-infinity'",
    "at = '1970-01-01'",
    "type = 'account.created'",
    "outcome = 'denied'",
    "actor_id = gen_random_uuid()",
    "target_type = ''",
    "target_id = 'other'",
    "project_id = gen_random_uuid()",
    "request_id = 'other'",
    "payload = '[]'",
    "leaf_hash = sha256('')",
    "mac = sha256('')",
    "mac_kid = 1 - mac_kid",
    "leaf_hash = sha256('\\x00' || convert_to('{}', 'UTF8')), body = '{}'",
]


def read(pk: int) -> proofreading.Proof:
    statement = (
        f"SELECT 0, id, {proofreading.COLUMNS} FROM audit_auditevent WHERE id = "  # noqa: S608
    )
    with transaction.atomic():
        [[proof]] = proofreading.proofread(f"{statement}%(id)s", {"id": pk})
    return proof


@pytest.mark.parametrize("change", CHANGES)
def test_proofreading_finds_every_change(committed, change):
    [event] = happen(1)
    with tampering() as superuser:
        superuser.execute(f"UPDATE audit_auditevent SET {change}")  # noqa: S608

    proof = read(event.pk)

    assert not (proof.is_sound and proof.has_our_mac)


def test_proofreading_and_the_slow_way_agree(world):
    for event in AuditEvent.objects.all():
        proof = read(event.pk)

        assert proof.is_sound
        assert proof.has_our_mac
        assert flaw_of(event) == ""


def test_proofreading_reads_changes_that_are_kept_apart(committed):
    [event] = happen(1, changes={"text": "x" * 70_000})
    assert event.payload

    assert read(event.pk).is_sound


def test_a_moment_that_is_none_is_found_and_not_stumbled_over(sealer):
    happen(2)
    with tampering() as superuser:
        superuser.execute("UPDATE audit_auditevent SET at = 'infinity'")

    with pytest.raises(CannotSeal, match="timestamp too large"):
        sealer.seal()

    undo_tampering()
    sealer.seal()
    with tampering() as superuser:
        superuser.execute("UPDATE audit_auditevent SET at = 'infinity'")
    [finding] = [one for piece in inspect() for one in piece]
    assert "timestamp too large" in finding
