import socket
import threading

import pytest

from apps.audit.anchors import http
from apps.audit.anchors.addresses import anchor_of
from apps.audit.anchors.anchor import Contradicts, Unpublished
from apps.audit.transparency.cosignature import CosignatureVerifier
from apps.audit.transparency.note import open_note
from tests.audit.anchors.logs import ORIGIN, MemoryLog
from tests.audit.anchors.places import (
    HttpPlace,
    WitnessPlace,
    closed_port,
    cosigner,
    silent_port,
)


@pytest.fixture
def log():
    return MemoryLog(3)


@pytest.fixture
def witness(log):
    with WitnessPlace({ORIGIN: log.keys}) as place:
        yield place


@pytest.fixture
def anchor(witness):
    return anchor_of(witness.address)


def test_publish_brings_a_cosignature_that_everybody_can_check(anchor, witness, log):
    receipt = anchor.publish(log.statement(3), log)

    [line] = [one.line for one in receipt.cosignatures]
    keys = [*log.keys, CosignatureVerifier(witness.cosigner.vkey)]
    assert len(open_note(log.notes[3] + line, keys)[1]) == 2
    assert witness.requests[0][0] == "/audit/add-checkpoint"
    assert witness.held[ORIGIN].size == 3


def test_publish_proves_from_what_the_witness_holds(anchor, witness, log):
    anchor.publish(log.statement(3), log)
    log.grow(10)

    anchor.publish(log.statement(13, last=3), log)

    assert len(witness.requests) == 2
    assert witness.held[ORIGIN].size == 13


@pytest.mark.parametrize("last", [0, 2, 7])
def test_publish_learns_from_a_conflict_where_to_prove_from(anchor, witness, log, last):
    anchor.publish(log.statement(3), log)
    log.grow(10)

    receipt = anchor.publish(log.statement(13, last=last), log)

    assert receipt.cosignatures
    assert len(witness.requests) == 3


def test_publish_the_same_again_is_answered_anew(anchor, witness, log):
    anchor.publish(log.statement(3), log)

    assert anchor.publish(log.statement(3, last=3), log).cosignatures
    assert len(witness.requests) == 2


def test_publish_an_older_one_leaves_the_newer_with_the_witness(anchor, witness, log):
    log.grow(10)
    anchor.publish(log.statement(13), log)

    receipt = anchor.publish(log.statement(3, last=3), log)

    assert receipt.cosignatures == ()
    assert witness.held[ORIGIN].size == 13


def test_a_database_behind_the_witness_contradicts(anchor, log):
    log.grow(10)
    anchor.publish(log.statement(13), log)
    restored = MemoryLog(3)

    for attempt in (
        lambda: anchor.publish(restored.statement(3), restored),
        lambda: anchor.look(restored),
    ):
        with pytest.raises(Contradicts, match="of 13 events, the database only 3"):
            attempt()


def test_another_history_contradicts(anchor, log):
    anchor.publish(log.statement(3), log)
    rewritten = MemoryLog(3, word=b"other")

    for attempt in (
        lambda: anchor.publish(rewritten.statement(3), rewritten),
        lambda: anchor.look(rewritten),
    ):
        with pytest.raises(Contradicts, match="another tree of 3 events"):
            attempt()
    with pytest.raises(Contradicts, match="does not continue at 8 events"):
        anchor.publish(rewritten.grow(5), rewritten)


def test_look_is_content_with_a_witness_that_knows_less(anchor, witness, log):
    assert anchor.look(MemoryLog()) is None
    assert anchor.look(log) is None
    anchor.publish(log.statement(3), log)
    log.grow(2)

    assert anchor.look(log) is None
    assert witness.held[ORIGIN].size == 3


def test_a_witness_that_does_not_know_the_log_says_so(log):
    reason = r"does not know this log.*404"

    with WitnessPlace({}) as witness, pytest.raises(Unpublished, match=reason):
        anchor_of(witness.address).publish(log.statement(3), log)


def test_a_witness_that_does_not_know_the_key_says_so(log):
    keys = {ORIGIN: MemoryLog(1, seed=b"1" * 32).keys}
    reason = r"does not know the key.*403"

    with WitnessPlace(keys) as witness, pytest.raises(Unpublished, match=reason):
        anchor_of(witness.address).publish(log.statement(3), log)


class Stubborn(HttpPlace):
    """Gives the same answer to everybody."""

    def __init__(self, status, body):
        super().__init__()
        self._answer = status, "text/plain", body

    def answer(self, body):
        return self._answer


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (200, b"", "no proof"),
        (200, b"\xff\n", "no proof"),
        (200, cosigner().cosign("other\n").encode(), "is wrong"),
        (200, cosigner(number=8).cosign("other\n").encode(), "None of the expected"),
        (200, b"x" * 70_000, "too long"),
        (409, b"many\n", "strangely"),
        (409, b"2\n", "somebody else"),
        (302, b"", "refuses .HTTP 302"),
        (500, b"", "refuses .HTTP 500"),
    ],
)
def test_a_strange_answer_proves_nothing(log, status, body, sentence):
    with Stubborn(status, body) as place:
        anchor = anchor_of(f"witness+http://127.0.0.1:{place.port}/#{cosigner().vkey}")

        with pytest.raises(Unpublished, match=sentence):
            anchor.publish(log.statement(3), log)


def test_a_witness_that_refuses_the_connection_is_said(log):
    anchor = anchor_of(f"witness+http://127.0.0.1:{closed_port()}/#{cosigner().vkey}")

    with pytest.raises(Unpublished, match=r"127\.0\.0\.1 does not answer"):
        anchor.publish(log.statement(3), log)


def test_a_silent_witness_is_given_up_in_time(log, monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.2)
    with silent_port() as port:
        anchor = anchor_of(f"witness+http://127.0.0.1:{port}/#{cosigner().vkey}")

        with pytest.raises(Unpublished, match="timed out"):
            anchor.publish(log.statement(3), log)


def drip(listening):
    connection, _ = listening.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not connection._closed:
            try:
                connection.sendall(b"x")
            except OSError:
                return


def test_an_endless_answer_is_given_up_in_time(log, monkeypatch):
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1_000_000_000)
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.2)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=drip, args=[listening])
        thread.start()
        port = listening.getsockname()[1]
        anchor = anchor_of(f"witness+http://127.0.0.1:{port}/#{cosigner().vkey}")

        with pytest.raises(Unpublished, match="takes too long"):
            anchor.publish(log.statement(3), log)
        thread.join()
