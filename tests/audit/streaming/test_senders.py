import json
import socket

import pytest

from apps.audit.streaming import senders, syslog
from apps.audit.streaming.senders import NotDelivered, deliver
from apps.audit.streaming.targets import target_of
from tests.audit.renderings.samples import SAMPLES, body, entry
from tests.audit.streaming.collectors import (
    SYSLOG,
    http_collector,
    tcp_collector,
    udp_collector,
    wait_for,
)

ENTRIES = [entry(SAMPLES["lifecycle"], index) for index in range(3)]


@pytest.fixture
def impatient(monkeypatch):
    """Wait for a fraction of a second only."""
    for module in (senders, syslog):
        monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.2)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_a_batch_is_posted_as_json_lines(monkeypatch):
    monkeypatch.setenv("SIEM_TOKEN", "Bearer 0123")

    with http_collector() as collector:
        address = f"http://127.0.0.1:{collector.port}/raw?source=portal"
        deliver(target_of(f"{address}&authorization=env:SIEM_TOKEN"), ENTRIES)

    assert collector.indexes == [0, 1, 2]
    assert collector.paths == ["/raw?source=portal"]
    assert collector.requests[0]["Content-Type"] == "application/x-ndjson"
    assert collector.requests[0]["Authorization"] == "Bearer 0123"


@pytest.mark.parametrize("answer", [302, 400, 413, 429, 500, 503, "drop", "hang"])
def test_a_batch_that_is_not_confirmed_is_not_delivered(impatient, answer):
    with http_collector(answer) as collector:
        target = target_of(f"http://127.0.0.1:{collector.port}/")
        with pytest.raises(NotDelivered):
            deliver(target, ENTRIES)
        deliver(target, ENTRIES)

    assert collector.indexes == [0, 1, 2]


@pytest.mark.parametrize("scheme", ["http", "https", "syslog+tcp", "syslog+tls"])
def test_a_target_that_is_down_is_not_delivered_to(scheme):
    target = target_of(f"{scheme}://127.0.0.1:{free_port()}/")

    with pytest.raises(NotDelivered, match="refused"):
        deliver(target, ENTRIES)


def test_a_batch_goes_over_https_to_a_trusted_server(certificate):
    with http_collector(context=certificate) as collector:
        deliver(target_of(f"https://127.0.0.1:{collector.port}/?format=ocsf"), ENTRIES)

    assert [each["metadata"]["sequence"] for each in collector.records] == [0, 1, 2]


@pytest.mark.parametrize(
    ("scheme", "listen"), [("https", http_collector), ("syslog+tls", tcp_collector)]
)
def test_a_server_that_is_not_trusted_gets_nothing(
    certificate, monkeypatch, scheme, listen
):
    monkeypatch.delenv("SSL_CERT_FILE")

    with (
        listen(context=certificate) as collector,
        pytest.raises(NotDelivered, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        deliver(target_of(f"{scheme}://127.0.0.1:{collector.port}/"), ENTRIES)

    assert collector.records == []


def test_syslog_over_tcp_counts_octets():
    with tcp_collector("talk") as collector:
        deliver(target_of(f"syslog+tcp://127.0.0.1:{collector.port}"), ENTRIES)

    assert collector.indexes == [0, 1, 2]
    found = SYSLOG.fullmatch(collector.raw[1])
    assert found["priority"] == b"110"  # log audit, informational
    assert found["time"] == b"2026-01-31T12:00:00.123456Z"
    assert found["host"] == b"web-1.portal.example"
    assert found["msgid"] == b"approval.signed_off"
    assert found["sequence"] == b"2"


def test_syslog_over_tls_is_confirmed_by_its_end(certificate):
    with tcp_collector(context=certificate) as collector:
        deliver(target_of(f"syslog+tls://127.0.0.1:{collector.port}"), ENTRIES)

    assert collector.indexes == [0, 1, 2]


@pytest.mark.parametrize("answer", ["reset", "keep_open"])
def test_syslog_that_was_not_read_to_its_end_is_not_delivered(impatient, answer):
    many = [entry(body("x.y", reason="r" * 30_000), index) for index in range(300)]

    with tcp_collector(answer) as collector:
        target = target_of(f"syslog+tcp://127.0.0.1:{collector.port}")
        with pytest.raises(NotDelivered):
            deliver(target, many if answer == "reset" else ENTRIES)


def test_syslog_over_udp_is_one_datagram_an_event():
    with udp_collector() as collector:
        deliver(target_of(f"syslog+udp://127.0.0.1:{collector.port}"), ENTRIES)
        wait_for(lambda: len(collector.batches) == 3)

    assert collector.indexes == [0, 1, 2]


@pytest.mark.parametrize("rendering", ["plain", "ocsf", "ecs", "cloudevents"])
def test_an_event_too_large_for_a_datagram_is_shortened(rendering):
    large = entry(body("approval.signed_off", changes=["c" * 60_000]), 5)

    with udp_collector() as collector:
        address = f"syslog+udp://127.0.0.1:{collector.port}?format={rendering}"
        deliver(target_of(address), [large])
        wait_for(lambda: collector.batches)

    assert len(collector.raw[0]) < 4000
    assert large.leaf_hash in collector.raw[0].decode()


def test_a_syslog_message_is_ascii_and_one_line():
    hostile = body(
        "approval.signed_off and a very long name of an event",
        reason="Prüfung\n<110>1 forged",
        severity=5,
        source={"channel": "web", "host": "a host\nwith lines"},
        time="yesterday",
    )

    message = syslog.message_of(entry(hostile), "plain")

    found = SYSLOG.fullmatch(message)
    assert found["priority"] == b"106"
    assert found["time"] == b"-"
    assert found["host"] == b"ahostwithlines"
    assert len(found["msgid"]) == 32
    assert message.isascii()
    assert json.loads(found["text"])["body"]["reason"] == "Prüfung\n<110>1 forged"


def test_a_file_is_appended_to_and_half_a_line_is_ended(tmp_path):
    file = tmp_path / "trail.jsonl"
    target = target_of(f"file://{file}?format=ecs")

    deliver(target, ENTRIES)
    with file.open("ab") as torn:
        torn.write(b'{"half')
    deliver(target, ENTRIES)

    lines = file.read_text().splitlines()
    assert lines.pop(3) == '{"half'
    assert [json.loads(line)["event"]["sequence"] for line in lines] == [0, 1, 2] * 2
    assert file.stat().st_mode & 0o007 == 0


def test_a_file_that_cannot_be_written_is_not_delivered_to(tmp_path):
    with pytest.raises(NotDelivered, match="No such file"):
        deliver(target_of(f"file://{tmp_path}/none/trail"), ENTRIES)
