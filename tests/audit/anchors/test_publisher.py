import signal
import socket
import threading
from datetime import timedelta
from time import monotonic

import pytest
from django.core.management import CommandError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.audit.anchor_models import (
    Cosignature,
    Publication,
    PublicationState,
    Timestamp,
)
from apps.audit.anchors import http, outbox
from apps.audit.anchors import publisher as publishing
from apps.audit.anchors.publisher import Publisher, open_publisher
from apps.audit.anchors.standing import outside
from apps.audit.models import Checkpoint, Head
from apps.audit.signing import CannotSeal
from apps.audit.transparency.note import Verifier
from tests.audit.anchors.places import (
    AuthorityPlace,
    Listener,
    WitnessPlace,
    closed_port,
    cosigner,
    silent_port,
)
from tests.audit.sealing import ORIGIN, happen, newest, sealed, sealer_in, tampering
from tests.audit.test_sealer_process import key_file, running_sealer, told, wait_for

__all__ = ["key_file"]


@pytest.fixture
def sealer(committed, tmp_path):
    return sealer_in(tmp_path)


@pytest.fixture
def share(tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


def publisher_of(sealer, settings, *addresses) -> Publisher:
    settings.AUDIT_ANCHORS = list(addresses)
    return open_publisher(sealer)


def is_later(**ago) -> None:
    """Let time pass for everything that is in the outbox."""
    for row in Publication.objects.all():
        row.created_at -= timedelta(**ago)
        row.due_at -= timedelta(**ago)
        row.save()


def in_share(share) -> list[int]:
    return sorted(int(path.name) for path in share.glob("*/*"))


def test_publish_gives_the_newest_checkpoint_to_every_anchor(
    sealer, settings, share, tmp_path
):
    keys = {ORIGIN: [Verifier(sealer.signer.vkey)]}
    happen(3)
    sealer.seal()
    with (
        WitnessPlace(keys) as witness,
        AuthorityPlace(tmp_path / "authority") as authority,
        Listener(socket.SOCK_DGRAM) as loghost,
    ):
        publisher = publisher_of(
            sealer,
            settings,
            f"dir://{share}",
            witness.address,
            authority.address,
            f"syslog://127.0.0.1:{loghost.port}",
        )

        publisher.publish()

        assert b"size=3" in loghost.next()
    assert in_share(share) == [3]
    assert Cosignature.objects.get().key_name == "witness.example/w1"
    assert Timestamp.objects.get().size == 3
    assert {row.state for row in Publication.objects.all()} == {PublicationState.DONE}
    assert {one.word for one in outside().anchors} == {"ok"}
    assert outside().size == 3


def test_publish_keeps_the_pace(sealer, settings, share):
    publisher = publisher_of(sealer, settings, f"dir://{share}?every=60")
    for _ in range(2):
        happen(1)
        sealer.seal()
        publisher.publish()
    assert in_share(share) == [1]

    is_later(seconds=61)
    publisher.publish()

    assert in_share(share) == [1, 2]


def test_publish_without_traffic_repeats_itself_each_hour(sealer, settings):
    happen(1)
    sealer.seal()
    with Listener(socket.SOCK_DGRAM) as loghost:
        publisher = publisher_of(sealer, settings, f"syslog://127.0.0.1:{loghost.port}")
        publisher.publish()
        loghost.next()
        is_later(minutes=59)
        publisher.publish()
        assert Publication.objects.count() == 1

        is_later(minutes=2)
        publisher.publish()

        assert b"size=1" in loghost.next()


def test_an_anchor_that_is_away_gets_its_checkpoint_later(sealer, settings, share):
    publisher = publisher_of(sealer, settings, f"dir://{share}")
    share.rename(share.with_name("away"))
    happen(1)
    sealer.seal()
    publisher.publish()
    publisher.publish()  # the pause is not over
    row = Publication.objects.get()
    assert (row.state, row.attempts) == (PublicationState.WAITING, 1)
    assert "is gone" in row.last_error
    assert outside().anchors[0].word == "waiting"

    share.with_name("away").rename(share)
    is_later(minutes=5)
    publisher.publish()

    assert in_share(share) == [1]
    assert Publication.objects.get().last_error == ""


def test_pauses_grow_up_to_five_minutes_and_never_end(sealer, settings, share):
    publisher = publisher_of(sealer, settings, f"dir://{share}")
    share.rmdir()
    happen(1)
    sealer.seal()
    pauses = []
    for _ in range(9):
        before = timezone.now()
        publisher.publish()
        pauses.append(round((Publication.objects.get().due_at - before).seconds, -1))
        is_later(minutes=6)

    assert pauses[0] <= 10
    assert pauses == sorted(pauses)
    assert pauses[-2:] == [300, 300]


def test_one_anchor_does_not_wait_for_another(sealer, settings, share):
    publisher = publisher_of(sealer, settings, "dir:///nowhere", f"dir://{share}")
    happen(1)
    sealer.seal()

    publisher.publish()

    assert in_share(share) == [1]


def test_what_another_process_publishes_is_left_alone(sealer, settings, share):
    publisher = publisher_of(sealer, settings, f"dir://{share}")
    happen(1)
    sealer.seal()
    [anchor] = publisher.anchors
    outbox.put_newest(anchor, ORIGIN)
    outbox.put_newest(anchor, ORIGIN)
    assert outbox.claim(anchor, ORIGIN)

    publisher.publish()
    assert in_share(share) == []

    is_later(minutes=2)  # it died
    publisher.publish()
    assert in_share(share) == [1]


def test_what_the_sealer_did_not_sign_is_not_published(sealer, settings, share):
    publisher = publisher_of(sealer, settings, f"dir://{share}")
    happen(1)
    sealer.seal()
    with tampering() as superuser:
        superuser.execute("UPDATE audit_checkpoint SET note = replace(note, 'A', 'B')")

    publisher.publish()

    assert in_share(share) == []
    assert "is not what was signed" in Publication.objects.get().last_error


def cut_back_to(size: int, sealer, memory: str) -> None:
    """Restore an old backup, the sealer's own memory included."""
    with tampering() as superuser:
        superuser.execute(f"DELETE FROM audit_checkpoint WHERE size > {size}")  # noqa: S608
        superuser.execute(f"DELETE FROM audit_leaf WHERE leaf_index >= {size}")  # noqa: S608
        superuser.execute(
            "DELETE FROM audit_auditevent WHERE id NOT IN "
            "(SELECT event_pk FROM audit_leaf)"
        )
    Head.objects.all().delete()
    sealer.files.publish(memory)


@pytest.fixture
def rewound(sealer, settings, share, tmp_path):
    """A database as it was two events ago, and anchors that know better."""
    keys = {ORIGIN: [Verifier(sealer.signer.vkey)]}
    with WitnessPlace(keys) as witness:
        addresses = {"directory": f"dir://{share}", "witness": witness.address}
        happen(2)
        sealer.seal()
        before, head = sealer.files.published_file.read_text(), Head.objects.get()
        happen(2)
        sealer.seal()
        publisher_of(sealer, settings, *addresses.values()).publish()
        cut_back_to(2, sealer, before)
        head.save(force_insert=True)
        happen(1)
        yield sealer_in(tmp_path), addresses


@pytest.mark.parametrize("name", ["directory", "witness"])
def test_the_sealer_refuses_to_sign_behind_an_anchor(rewound, settings, name):
    sealer, addresses = rewound
    publisher = publisher_of(sealer, settings, addresses[name])
    publisher.look()

    with pytest.raises(CannotSeal, match=r"Database behind anchor .* of 4 events"):
        sealer.seal()

    assert newest(sealer)[0] == 2


def test_without_anchors_an_old_backup_goes_unnoticed(rewound):
    """What the guard is for: the sealer's own memory came from the same backup."""
    sealer, _ = rewound

    assert sealer.seal() > 0


def test_the_sealer_refuses_to_sign_another_history(rewound, settings, tmp_path):
    sealer, addresses = rewound
    sealer.seal()
    happen(2)
    sealer.seal()
    happen(1)

    for name, sentence in (
        ("directory", "was rewritten"),
        ("witness", "does not continue"),
    ):
        Publication.objects.all().delete()
        sealer = sealer_in(tmp_path)
        publisher = publisher_of(sealer, settings, addresses[name])
        publisher.look()
        if name == "witness":
            publisher.publish()
        with pytest.raises(CannotSeal, match=sentence):
            sealer.seal()


def test_the_guard_lets_go_when_the_contradiction_is_gone(sealer, settings, share):
    publisher = publisher_of(sealer, settings, f"dir://{share}")
    happen(1)
    sealer.seal()
    sealer.guard.saw_contradiction(f"dir://{share}", ORIGIN, "It holds more.")
    with pytest.raises(CannotSeal, match="It holds more"):
        sealer.seal()

    publisher.publish()
    happen(1)

    assert sealer.seal() == 1


def test_what_anchors_hold_of_a_log_that_ended_counts_nothing(
    rewound, settings, tmp_path
):
    sealer, addresses = rewound
    publisher = publisher_of(sealer, settings, *addresses.values())
    publisher.look()
    with pytest.raises(CannotSeal, match="Database behind anchor"):
        sealer.seal()

    sealer.guard.require_prefix("test.example/audit/2", 2, None)


def test_a_contradiction_is_told_where_the_anchor_stands(rewound, settings):
    sealer, addresses = rewound
    Publication.objects.all().delete()

    publisher_of(sealer, settings, addresses["witness"]).publish()

    assert "of 4 events, the database only 2" in outside().anchors[0].sentence


def test_the_command_seals_and_publishes_once(committed, key_file, settings, share):
    settings.AUDIT_ANCHORS = [f"dir://{share}"]
    happen(2)

    told("seal_audit_trail", "--once")

    assert in_share(share) == [2]


def test_the_command_refuses_a_malformed_setting(committed, key_file, settings):
    settings.AUDIT_ANCHORS = ["ftp://host"]

    with pytest.raises(CommandError, match="is no anchor"):
        told("seal_audit_trail", "--once")


def test_a_sealer_killed_before_it_publishes_publishes_after_all(
    committed, key_file, share, monkeypatch
):
    """The share is away while it seals, so that the kill falls between the two."""
    away = share.with_name("away")
    share.rename(away)
    monkeypatch.setenv("AUDIT_ANCHORS", f"dir://{share}")
    happen(2)
    with running_sealer(key_file) as process:
        wait_for(lambda: len(sealed()) == 2)
        wait_for(lambda: Publication.objects.filter(attempts__gte=1).exists())
        process.send_signal(signal.SIGKILL)
        process.wait()
    owed = Checkpoint.objects.latest("size").size
    away.rename(share)
    is_later(minutes=10)

    with running_sealer(key_file):
        wait_for(lambda: in_share(share) == [owed])
        wait_for(lambda: not Publication.objects.filter(state="waiting").exists())


def test_a_running_sealer_refuses_what_an_anchor_contradicts(
    rewound, key_file, monkeypatch
):
    sealer, addresses = rewound
    key_file.parent.mkdir()
    for own in (sealer.files.key_file, sealer.files.published_file):
        key_file.with_name(own.name).write_text(own.read_text())
        key_file.with_name(own.name).chmod(0o600)
    monkeypatch.setenv("AUDIT_ANCHORS", addresses["directory"])
    monkeypatch.setenv("AUDIT_ORIGIN", ORIGIN)

    with running_sealer(key_file):
        wait_for(lambda: "Database behind anchor" in Head.objects.get().obstacle)

    assert newest(sealer)[0] == 2


@pytest.fixture
def started(sealer, settings, share):
    """A publisher at work in threads; they end before the tables are emptied."""
    publishers = []

    def start(*addresses):
        publisher = publisher_of(sealer, settings, *addresses)
        publishers.append(publisher)
        publisher.start()

    yield start
    for publisher in publishers:
        stop(publisher)


def stop(publisher) -> None:
    publisher.stopped.set()
    for thread in threading.enumerate():
        if thread.name.startswith("anchor "):
            thread.join(timeout=30)


def test_threads_publish_beside_the_sealer(sealer, share, started):
    happen(1)
    sealer.seal()

    started(f"dir://{share}", "dir:///nowhere")

    wait_for(lambda: in_share(share) == [1])
    wait_for(lambda: Publication.objects.filter(attempts__gte=1).count() == 2)


def test_threads_look_before_anything_is_signed(rewound, settings):
    sealer, addresses = rewound
    publisher = publisher_of(sealer, settings, addresses["directory"])

    publisher.start()
    stop(publisher)

    assert sealer.guard.held[addresses["directory"]].size == 4


def test_threads_outlive_a_lost_connection(sealer, share, started, caplog):
    started(f"dir://{share}")
    happen(1)
    sealer.seal()
    wait_for(lambda: in_share(share) == [1])

    for number in (2, 3):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        happen(1)
        sealer.seal()
        is_later(seconds=61)
        wait_for(lambda: in_share(share)[-1] == number)  # noqa: B023

    assert "The database does not answer" in caplog.text


def test_a_silent_anchor_does_not_hold_up_the_start(
    sealer, settings, started, monkeypatch, caplog
):
    monkeypatch.setattr(publishing, "FIRST_LOOK_SECONDS", 0.2)
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 1)
    happen(1)
    sealer.seal()
    with silent_port() as port:
        begin = monotonic()

        started(f"witness+http://127.0.0.1:{port}/#{cosigner().vkey}")

        assert monotonic() - begin < 1
    assert "does not answer yet" in caplog.text


def test_a_witness_that_cannot_be_asked_stops_nothing(sealer, settings, caplog):
    happen(1)
    sealer.seal()
    address = f"witness+http://127.0.0.1:{closed_port()}/#{cosigner().vkey}"

    publisher_of(sealer, settings, address).look()
    happen(1)

    assert "cannot be asked" in caplog.text
    assert sealer.seal() == 1


def test_a_request_to_be_carried_waits_without_failing(sealer, settings, share):
    publisher = publisher_of(
        sealer, settings, f"witness-file://{share}#{cosigner().vkey}"
    )
    happen(1)
    sealer.seal()

    publisher.publish()

    [anchor] = outside().anchors
    assert (anchor.word, "waits to be carried" in anchor.sentence) == ("waiting", True)
    [request] = share.glob("*/1.request")
    note = Checkpoint.objects.get().note
    text = note.rpartition("\n\n")[0] + "\n"
    request.with_name("1.answer").write_text(cosigner().cosign(text))
    is_later(seconds=30)
    publisher.publish()
    assert Cosignature.objects.get().size == 1
    assert outside().anchors[0].word == "ok"


@pytest.mark.parametrize("table", ["audit_cosignature", "audit_timestamp"])
@pytest.mark.parametrize("deed", ["DELETE FROM {0}", "TRUNCATE {0}"])
def test_what_anchors_gave_back_cannot_be_removed(db, table, deed):
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(deed.format(table))
