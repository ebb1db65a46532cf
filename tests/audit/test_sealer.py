import random
from threading import Barrier, Event, Thread

import pytest
from django.db import Error, connection, transaction

from apps.audit import sealer as sealing
from apps.audit.inspection import inspect
from apps.audit.models import AuditEvent, Checkpoint, Head, Key, Leaf, Tile
from apps.audit.signing import CannotSeal
from apps.audit.stored_tree import reader
from apps.audit.transparency.tree import Edge
from tests.audit.sealing import (
    connect,
    happen,
    newest,
    sealed,
    sealer_in,
    tampering,
    undo_tampering,
)

COLUMNS = """event_id, at, type, outcome, actor_id, target_type, target_id,
    request_id, body, payload, leaf_hash, mac, mac_kid"""
COPY = f"""INSERT INTO audit_auditevent ({COLUMNS})
    SELECT gen_random_uuid(), {COLUMNS.partition(",")[2]} FROM audit_auditevent
    WHERE id = %s RETURNING id"""  # noqa: S608


@pytest.fixture
def sealer(committed, tmp_path):
    return sealer_in(tmp_path)


def findings() -> list[str]:
    return [finding for piece in inspect() for finding in piece]


def root_of_sealed() -> bytes:
    edge = Edge()
    for pk in sealed():
        edge.append(bytes(AuditEvent.objects.get(pk=pk).leaf_hash))
    return edge.root()


def test_seal_gives_every_event_its_place_and_signs_the_tree(sealer):
    events = happen(3)

    count = sealer.seal()

    assert count == 3
    assert sealed() == [event.pk for event in events]
    assert newest(sealer) == (3, root_of_sealed())
    assert Key.objects.get().vkey == sealer.signer.vkey
    assert findings() == []


def test_seal_without_news_signs_nothing(sealer):
    happen(1)
    sealer.seal()

    assert sealer.seal() == 0
    assert Checkpoint.objects.count() == 1


@pytest.mark.parametrize("batch", [1, 5, 256, 300])
def test_seal_in_any_batches_builds_the_same_tree(committed, tmp_path, batch):
    sealer = sealer_in(tmp_path, batch=batch)
    happen(5 if batch < 256 else 530)

    while sealer.seal():
        pass
    happen(3)
    while sealer.seal():
        pass

    assert len(sealed()) == len(set(sealed())) == AuditEvent.objects.count()
    assert newest(sealer) == (len(sealed()), root_of_sealed())
    assert Tile.objects.count() == len(sealed()) // 256
    assert findings() == []


def test_seal_finds_what_was_committed_late(sealer):
    written, may_commit, slow = Event(), Event(), []

    def write_slowly() -> None:
        with transaction.atomic():
            slow.extend(happen(1))
            written.set()
            may_commit.wait(10)
        connection.close()

    writer = Thread(target=write_slowly)
    writer.start()
    written.wait(10)
    quick = happen(2)
    sealer.seal()
    before = sealed()
    may_commit.set()
    writer.join()

    assert sealer.seal() == 1
    assert before == [event.pk for event in quick]
    assert sealed() == [*before, slow[0].pk]
    assert slow[0].pk < quick[0].pk


def test_transactions_that_overlap_are_sealed_exactly_once(sealer):
    chance, gate, kept = random.Random(7), Barrier(5), []

    def write(seed: int) -> None:
        own = random.Random(seed)
        gate.wait()
        for _ in range(12):
            try:
                with transaction.atomic():
                    [event] = happen(1)
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT pg_sleep(%s)", [own.random() / 50])
                    if own.random() < 0.2:
                        raise LookupError
                kept.append(event.pk)
            except LookupError:
                pass
        connection.close()

    writers = [Thread(target=write, args=[seed]) for seed in range(4)]
    for writer in writers:
        writer.start()
    gate.wait()
    while any(writer.is_alive() for writer in writers):
        sealer.seal()
        writers[0].join(chance.random() / 50)
    sealer.seal()

    assert sorted(sealed()) == sorted(kept)
    assert newest(sealer) == (len(kept), root_of_sealed())
    assert findings() == []


def test_two_sealers_do_not_disturb_each_other(sealer):
    happen(2)
    sealer.seal()
    happen(1)

    with connect() as other:
        other.execute("SELECT * FROM audit_head FOR UPDATE")
        assert sealer.seal() == 0

    assert sealer.seal() == 1


@pytest.mark.parametrize(
    ("statement", "flaw"),
    [
        (
            "UPDATE audit_auditevent SET request_id = 'other'",
            "columns say something else",
        ),
        ("UPDATE audit_auditevent SET body = '{}'", "text does not fit its hash"),
        (
            "UPDATE audit_auditevent SET mac = sha256('forged')",
            "MAC is not of this portal",
        ),
        ("UPDATE audit_auditevent SET mac_kid = mac_kid - 1", "MAC is not of"),
    ],
)
def test_seal_refuses_what_was_changed_before_it_was_sealed(sealer, statement, flaw):
    [event] = happen(1)
    with tampering() as superuser:
        superuser.execute(statement)

    with pytest.raises(CannotSeal, match=flaw) as caught:
        sealer.seal()

    assert f"Audit event {event.pk} " in str(caught.value)
    assert not Leaf.objects.exists()
    assert not Checkpoint.objects.exists()


def test_seal_refuses_a_copy_of_an_event(sealer):
    [event] = happen(1)
    sealer.seal()
    with connect() as session:
        session.execute(COPY, [event.pk])

    with pytest.raises(CannotSeal, match="columns say something else"):
        sealer.seal()


CHANGED = "was changed after it was sealed: its"
DEEDS = [
    (
        "UPDATE audit_auditevent SET request_id = 'other' WHERE id = {0}",
        f"Sealed event 1 (audit event {{0}}) {CHANGED} columns say something else",
    ),
    (
        "UPDATE audit_auditevent SET body = '{{}}' WHERE id = {0}",
        f"Sealed event 1 (audit event {{0}}) {CHANGED} text does not fit its hash.",
    ),
    (
        "UPDATE audit_auditevent SET leaf_hash = sha256('') WHERE id = {0}",
        "Sealed event 1 (audit event {0}) was exchanged",
    ),
    (
        "DELETE FROM audit_auditevent WHERE id = {0}",
        "Sealed event 1 (audit event {0}) was removed.",
    ),
    (
        "DELETE FROM audit_leaf WHERE event_pk = {0}",
        "Sealed event 1 (audit event unknown) was removed.",
    ),
    (
        "INSERT INTO audit_leaf VALUES (777, 99999)",
        "Leaf 777 was put in; the tree ends at 260.",
    ),
    (
        "UPDATE audit_leaf SET event_pk = -event_pk",
        "Sealed event 0 (audit event -",
    ),
    (
        "UPDATE audit_tile SET hashes = hashes || '\\x00'",
        "Tile 0/0 of the tree was removed.",
    ),
    (
        "UPDATE audit_tile SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)",
        "Tile 0/0 of the tree was changed.",
    ),
    ("DELETE FROM audit_tile", "Tile 0/0 of the tree was removed."),
]


def test_inspect_names_every_event_that_was_tampered_with(sealer):
    first, second, third = (event.pk for event in happen(3))
    sealer.seal()
    with tampering() as superuser:
        superuser.execute("DELETE FROM audit_auditevent WHERE id = %s", [first])
        superuser.execute(
            "UPDATE audit_auditevent SET request_id = 'other' WHERE id = %s", [second]
        )
        copy = superuser.execute(COPY, [third]).fetchone()[0]
        superuser.execute("UPDATE audit_auditevent SET xid = '3' WHERE id = %s", [copy])

    named = findings()

    assert len(named) == 3
    for pk, finding in zip((first, second, copy), named, strict=True):
        assert str(pk) in finding


def test_inspect_names_what_a_superuser_did_to_the_sealed_trail(sealer):
    second = happen(260)[1].pk
    sealer.seal()

    for statement, finding in DEEDS:
        with tampering() as superuser:
            superuser.execute(statement.format(second))
        found = findings()
        undo_tampering()

        assert found[0].startswith(finding.format(second)), statement
    assert findings() == []


@pytest.mark.parametrize("transaction_number", ["3", "999999999999"])
def test_inspect_names_an_event_that_slipped_past_the_sealer(
    sealer, transaction_number
):
    [event] = happen(1)
    sealer.seal()
    with tampering() as superuser:
        [copy] = superuser.execute(COPY, [event.pk]).fetchone()
        superuser.execute(
            "UPDATE audit_auditevent SET xid = %s::text::xid8 WHERE id = %s",
            [transaction_number, copy],
        )

    assert sealer.seal() == 0
    assert findings() == [
        f"Audit event {copy} was put in by other means than the portal's."
    ]


def test_seal_refuses_to_sign_behind_what_was_published(sealer):
    happen(2)
    sealer.seal()
    with connect() as session:
        session.execute("UPDATE audit_head SET size = 1")

    with pytest.raises(CannotSeal, match="checkpoint of 2 was published"):
        sealer.seal()


def test_seal_refuses_to_continue_another_tree(sealer):
    happen(2)
    sealer.seal()
    head = Head.objects.get()
    head.edge = [bytes(head.edge[0])[::-1]]
    head.save()
    happen(1)

    with pytest.raises(CannotSeal, match="it was rewritten"):
        sealer.seal()


def test_seal_refuses_when_its_own_memory_is_gone(sealer):
    happen(1)
    sealer.seal()
    sealer.files.published_file.unlink()

    with pytest.raises(CannotSeal, match="Put the newest checkpoint that you kept"):
        sealer.seal()


def test_seal_takes_up_where_a_crash_left_its_memory_behind(sealer):
    happen(1)
    sealer.seal()
    before = sealer.files.published_file.read_text()
    happen(300)
    sealer.seal()
    sealer.files.published_file.write_text(before)
    happen(1)

    assert sealer.seal() == 1
    assert "\n302\n" in sealer.files.published_file.read_text()


def test_seal_refuses_rows_in_its_way(sealer):
    happen(1)
    sealer.seal()
    with connect() as session:
        session.execute("INSERT INTO audit_leaf VALUES (1, 99999)")
    happen(1)

    with pytest.raises(CannotSeal, match="in its way"):
        sealer.seal()


def test_seal_after_a_restore_on_another_server_takes_what_is_left(sealer):
    happen(3)
    sealer.seal()
    head = Head.objects.get()
    head.system_id, head.previous = 1, "9999999999:9999999999:"
    head.save()
    happen(1)

    assert sealer.seal() == 1
    assert len(set(sealed())) == 4
    assert Head.objects.get().system_id != 1
    assert findings() == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("auditevent", "type"),
        ("leaf", "event_pk"),
        ("tile", "hashes"),
        ("checkpoint", "note"),
        ("key", "vkey"),
    ],
)
def test_the_database_refuses_to_change_what_is_sealed(db, table, column):
    for deed in (
        f"UPDATE audit_{table} SET {column} = {column}",  # noqa: S608
        f"DELETE FROM audit_{table}",  # noqa: S608
        f"TRUNCATE audit_{table}",
    ):
        with (
            pytest.raises(Error, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(deed)


def test_seal_and_tell_keeps_the_obstacle_until_it_is_gone(sealer):
    [event] = happen(1)
    with tampering() as superuser:
        superuser.execute("UPDATE audit_auditevent SET request_id = 'other'")

    assert sealer.seal_and_tell() == 0
    assert f"Audit event {event.pk} " in sealing.obstacle()

    with tampering() as superuser:
        superuser.execute("UPDATE audit_auditevent SET request_id = ''")
    assert sealer.seal_and_tell() == 1
    assert sealing.obstacle() == ""


def test_the_tree_says_nothing_of_what_it_does_not_hold(sealer):
    happen(1)
    sealer.seal()

    assert reader(Head.objects.get())(3, 5) == b""
