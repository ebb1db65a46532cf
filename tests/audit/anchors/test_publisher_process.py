import signal
from time import monotonic

import pytest
from django.core.management import CommandError
from django.db import connection

from apps.audit.anchors import http
from apps.audit.anchors import publisher as publishing
from apps.audit.models import (
    Checkpoint,
    Publication,
)
from tests.audit.anchors.places import (
    cosigner,
    silent_port,
)
from tests.audit.anchors.publishing import (
    in_share,
    is_later,
)
from tests.audit.sealing import happen, sealed
from tests.audit.test_sealer_process import running_sealer, told, wait_for


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


def test_threads_publish_beside_the_sealer(sealer, share, started):
    happen(1)
    sealer.seal()

    started(f"dir://{share}", "dir:///nowhere")

    wait_for(lambda: in_share(share) == [1])
    wait_for(lambda: Publication.objects.filter(attempts__gte=1).count() == 2)


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
