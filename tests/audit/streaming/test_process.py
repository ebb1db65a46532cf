import os
import random
import signal
import subprocess
import sys
from contextlib import contextmanager

from django.conf import settings as portal
from django.db import connection

from apps.audit.models import StreamPosition
from apps.audit.streaming.source import covered_size
from tests.audit.sealing import connect, happen
from tests.audit.streaming.collectors import (
    http_collector,
    tcp_collector,
    udp_collector,
    wait_for,
)


@contextmanager
def running_streamer(*urls: str):
    """Start the command itself on the database of the test."""
    facts = connection.get_connection_params()
    address = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**facts)
    process = subprocess.Popen(
        [
            *(sys.executable, "manage.py", "stream_audit_trail"),
            *("--seconds", "0.02", "--longest-pause", "0.2"),
        ],
        cwd=portal.BASE_DIR,
        env=os.environ | {"DATABASE_URL": address, "AUDIT_STREAMS": ",".join(urls)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def next_index(name: str) -> int:
    found = StreamPosition.objects.filter(name=name).first()
    return found.next_index if found else 0


def is_everything_in(collector) -> bool:
    return set(collector.indexes) == set(range(covered_size()))


def test_a_streamer_serves_targets_of_every_kind_while_one_is_down(seal, tmp_path):
    happen(20)
    seal()
    file = tmp_path / "trail.jsonl"

    with (
        http_collector(*[503] * 1000) as broken,
        http_collector(503, "drop", "hang") as recovering,
        tcp_collector("reset") as over_tcp,
        udp_collector() as over_udp,
        running_streamer(
            f"http://127.0.0.1:{broken.port}/",
            f"http://127.0.0.1:{recovering.port}/?batch=7",
            f"syslog+tcp://127.0.0.1:{over_tcp.port}?batch=7",
            f"syslog+udp://127.0.0.1:{over_udp.port}",
            f"file://{file}?format=ecs",
        ),
    ):
        healthy = (recovering, over_tcp, over_udp)
        wait_for(lambda: all(map(is_everything_in, healthy)))
        happen(3)
        seal()
        wait_for(lambda: all(map(is_everything_in, healthy)))
        wait_for(lambda: len(file.read_text().splitlines()) == 23)
        broken.answers.clear()
        wait_for(lambda: is_everything_in(broken))

    assert broken.indexes == list(range(23))
    assert recovering.indexes == sorted(recovering.indexes)


def test_a_streamer_killed_again_and_again_leaves_no_gap(seal):
    with http_collector(*["drop", 200] * 3) as collector:
        address = f"http://127.0.0.1:{collector.port}/?name=siem&batch=3"
        for _ in range(4):
            happen(10)
            seal()
            seen = len(collector.batches)
            with running_streamer(address) as process:
                wait_for(lambda: len(collector.batches) > seen)  # noqa: B023
                process.send_signal(signal.SIGKILL)
                process.wait()
        with running_streamer(address):
            wait_for(lambda: next_index("siem") == covered_size() == 40)

    assert is_everything_in(collector)
    by_index = {}
    for record in collector.records:
        assert by_index.setdefault(record["leaf_index"], record) == record


def test_a_streamer_killed_between_delivery_and_note_sends_again(seal):
    happen(4)
    seal()
    with http_collector("hang") as collector:
        collector.hang_seconds = 0.5
        address = f"http://127.0.0.1:{collector.port}/?name=siem"
        with running_streamer(address) as process:
            wait_for(lambda: collector.requests)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert next_index("siem") == 0

        with running_streamer(address):
            wait_for(lambda: next_index("siem") == 4)

    assert is_everything_in(collector)


def test_a_streamer_survives_the_loss_of_its_database_connections(seal):
    happen(2)
    seal()
    with (
        http_collector() as collector,
        running_streamer(f"http://127.0.0.1:{collector.port}/"),
    ):
        wait_for(lambda: is_everything_in(collector))
        for _ in range(3):
            end_other_connections()
            happen(random.randint(1, 3))
            seal()
            wait_for(lambda: is_everything_in(collector))

    assert collector.indexes == sorted(collector.indexes)


def end_other_connections() -> None:
    with connect() as session, session.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid != pg_backend_pid() "
            "AND pid != %s",
            [connection.connection.info.backend_pid],
        )
