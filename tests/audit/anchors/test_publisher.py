import socket

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.audit.anchors import outbox
from apps.audit.anchors.standing import outside
from apps.audit.models import (
    Checkpoint,
    Cosignature,
    Publication,
    PublicationState,
    Timestamp,
)
from apps.audit.transparency.note import Verifier
from tests.audit.anchors.places import (
    AuthorityPlace,
    Listener,
    WitnessPlace,
    cosigner,
)
from tests.audit.anchors.publishing import (
    in_share,
    is_later,
    publisher_of,
)
from tests.audit.sealing import ORIGIN, happen, tampering


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
        superuser.execute(
            "UPDATE audit_checkpoint SET note = replace(note, E'\\n1\\n', E'\\n2\\n')"
        )

    publisher.publish()

    assert in_share(share) == []
    assert "is not what was signed" in Publication.objects.get().last_error


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
