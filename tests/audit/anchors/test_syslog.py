import re
import socket
from base64 import b64decode

import pytest

from apps.audit.anchors.addresses import anchor_of
from apps.audit.anchors.anchor import Receipt, Unpublished
from tests.audit.anchors.logs import MemoryLog
from tests.audit.anchors.places import Listener, closed_port, silent_port

# RFC 5424: priority 13 * 8 + 5, version, time, host, program, process, message id.
LINE = re.compile(
    r"<109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ mlops-portal \d+ checkpoint - "
    r"origin=log\.example/audit/1 size=3 note=(\S+)"
)


@pytest.fixture
def log():
    return MemoryLog(3)


def note_in(line: bytes) -> str:
    return b64decode(LINE.fullmatch(line.decode())[1]).decode()


def test_a_datagram_carries_the_whole_checkpoint(log):
    with Listener(socket.SOCK_DGRAM) as host:
        anchor = anchor_of(f"syslog://127.0.0.1:{host.port}")

        receipt = anchor.publish(log.statement(3), log)

        assert note_in(host.next()) == log.notes[3]
    assert receipt == Receipt(3)
    assert anchor.look(log) is None


def test_a_stream_counts_its_bytes(log):
    with Listener(socket.SOCK_STREAM) as host:
        anchor = anchor_of(f"syslog+tcp://127.0.0.1:{host.port}")

        anchor.publish(log.statement(3), log)

        length, _, line = host.next().partition(b" ")
    assert int(length) == len(line)
    assert note_in(line) == log.notes[3]


def test_a_local_socket_takes_it(log, tmp_path):
    with Listener(socket.SOCK_DGRAM, str(tmp_path / "log")) as host:
        anchor_of(f"syslog://{tmp_path / 'log'}").publish(log.statement(3), log)

        assert note_in(host.next()) == log.notes[3]


def test_a_host_that_keeps_the_connection_open_does_not_hold_it_up(log):
    with silent_port() as port:
        anchor = anchor_of(f"syslog+tcp://127.0.0.1:{port}")

        assert anchor.publish(log.statement(3), log) == Receipt(3)


def test_a_line_that_cannot_be_sent_is_said(log, tmp_path):
    for address in (
        f"syslog+tcp://127.0.0.1:{closed_port()}",
        f"syslog://{tmp_path / 'nothing'}",
    ):
        with pytest.raises(Unpublished, match="could not be sent"):
            anchor_of(address).publish(log.statement(3), log)
