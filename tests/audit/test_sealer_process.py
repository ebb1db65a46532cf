import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from io import StringIO

import pytest
from django.conf import settings as portal
from django.core.management import CommandError, call_command
from django.db import connection

from apps.audit.models import AuditEvent, Checkpoint, Head
from apps.audit.stored_tree import reader
from apps.audit.transparency.checkpoint import parse_checkpoint
from apps.audit.transparency.note import Signer, Verifier, open_note
from apps.audit.transparency.tiles import hashes_in
from apps.audit.transparency.tree import root_at
from tests.audit.sealing import happen, sealed, tampering
from tests.factories import people
from tests.trail import nothing_recorded, one_event


@pytest.fixture
def key_file(settings, tmp_path):
    settings.AUDIT_SIGNING_KEY_FILE = tmp_path / "sealer" / "signing.key"
    return settings.AUDIT_SIGNING_KEY_FILE


def told(command: str, *arguments: str) -> str:
    output = StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


@contextmanager
def running_sealer(key_file):
    """Start the command itself on the database of the test."""
    facts = connection.get_connection_params()
    address = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**facts)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "seal_audit_trail", "--seconds", "0.02"],
        cwd=portal.BASE_DIR,
        env=os.environ
        | {"DATABASE_URL": address, "AUDIT_SIGNING_KEY_FILE": str(key_file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(condition) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_seal_audit_trail_makes_a_key_seals_everything_and_ends(committed, key_file):
    happen(3)

    output = told("seal_audit_trail", "--once")

    assert key_file.stat().st_mode & 0o777 == 0o600
    assert Signer(key_file.read_text().strip()).vkey in output
    assert len(sealed()) == 3
    assert told("check_audit_trail") == "ok: 3 sealed, 0 waiting\n"


def test_seal_audit_trail_names_what_was_tampered_with(committed, key_file, client):
    happen(2)
    told("seal_audit_trail", "--once")
    first = sealed()[0]
    with tampering() as superuser:
        superuser.execute("DELETE FROM audit_auditevent WHERE id = %s", [first])

    for command in (["seal_audit_trail", "--once"], ["check_audit_trail"]):
        with pytest.raises(CommandError, match=f"audit event {first}. was removed"):
            told(*command)
    assert client.get("/healthz").json()["audit"] == "alarm"


def test_seal_audit_trail_names_what_it_does_not_sign(committed, key_file):
    happen(1)
    with tampering() as superuser:
        superuser.execute("UPDATE audit_auditevent SET request_id = 'other'")

    with pytest.raises(CommandError, match="was changed or put in before"):
        told("seal_audit_trail", "--once")

    assert not Checkpoint.objects.exists()


def test_seal_audit_trail_does_not_start_without_the_key_of_the_trail(
    committed, key_file
):
    happen(1)
    told("seal_audit_trail", "--once")
    key_file.rename(key_file.with_name("lost"))

    with pytest.raises(CommandError, match="Put the key that signed this trail there"):
        told("seal_audit_trail", "--once")


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [("", 0o600, "holds no signing key"), (None, 0o640, "Others can read")],
)
def test_seal_audit_trail_does_not_start_with_a_bad_key(
    db, key_file, content, mode, sentence
):
    key_file.parent.mkdir()
    good = Signer.generate("name", bytes(32))
    key_file.write_text(good if content is None else content)
    key_file.chmod(mode)

    with pytest.raises(CommandError, match=sentence):
        told("seal_audit_trail", "--once")


def test_the_memory_of_the_sealer_must_be_its_own(committed, key_file):
    happen(1)
    told("seal_audit_trail", "--once")
    key_file.with_name("signing.key.checkpoint").write_text("something else\n")

    with pytest.raises(CommandError, match="is not what this key signed"):
        told("seal_audit_trail", "--once")


def test_check_audit_trail_misses_a_sealer_that_never_ran(db):
    with pytest.raises(CommandError, match="never run"):
        told("check_audit_trail")


def test_check_audit_trail_misses_a_sealer_that_stopped(db):
    Head.objects.create(pk=1, seen_at="2026-01-02T03:04:05Z")

    with pytest.raises(CommandError, match="last at work at 2026-01-02 03:04:05 UTC"):
        told("check_audit_trail")


def test_a_sealer_killed_again_and_again_loses_and_doubles_nothing(committed, key_file):
    published = set()
    for _ in range(4):
        with running_sealer(key_file) as process:
            before = len(sealed())
            wait_for(lambda: happen(5) and len(sealed()) > before)  # noqa: B023
            happen(5)
            process.send_signal(signal.SIGKILL)
            process.wait()
        memory = key_file.with_name("signing.key.checkpoint")
        published.add(memory.read_text())
    told("seal_audit_trail", "--once")

    verifier = Verifier(Signer(key_file.read_text().strip()).vkey)
    everything = sealed()
    assert len(everything) == len(set(everything)) == AuditEvent.objects.count()
    get_hash = hashes_in(reader(Head.objects.get()))
    published |= set(Checkpoint.objects.values_list("note", flat=True))
    for note in published:
        stated = parse_checkpoint(open_note(note, [verifier])[0])
        assert root_at(stated.size, get_hash) == stated.root


def test_the_sealer_seals_while_it_runs_and_notices_tampering(committed, key_file):
    happen(2)

    with running_sealer(key_file):
        wait_for(lambda: len(sealed()) == 2)
        with tampering() as superuser:
            superuser.execute("UPDATE audit_auditevent SET request_id = 'other'")
        wait_for(
            lambda: "was changed after it was sealed" in Head.objects.get().finding
        )
        happen(1)
        wait_for(lambda: len(sealed()) == 3)


def test_accept_flawed_event_lets_the_sealer_go_on_and_is_not_forgotten(
    committed, key_file
):
    [event, _] = happen(2)
    by = ["--by", people.administrator().email, "--reason", "A restore went wrong."]
    with tampering() as superuser:
        superuser.execute(
            "UPDATE audit_auditevent SET body = '{}' WHERE id = %s", [event.pk]
        )
    with pytest.raises(CommandError, match="does not fit its hash"):
        told("seal_audit_trail", "--once")

    with one_event("audit.flaw_accepted") as events:
        told("accept_flawed_event", str(event.pk), *by)
    told("seal_audit_trail", "--once")

    assert event.pk in sealed()
    assert events[0].target_id == str(event.pk)
    assert events[0].changes["flaw"] == "its text does not fit its hash"
    assert events[0].reason == "A restore went wrong."
    with pytest.raises(CommandError, match="sealed already"):
        told("accept_flawed_event", str(event.pk), *by)


def test_an_acceptance_put_in_by_the_database_alone_counts_for_nothing(
    committed, key_file
):
    flawed, other = happen(2)
    with tampering() as superuser:
        superuser.execute(
            "UPDATE audit_auditevent SET body = '{}' WHERE id = %s", [flawed.pk]
        )
        superuser.execute(
            "UPDATE audit_auditevent SET type = 'audit.flaw_accepted', target_type = "
            "'audit.auditevent', target_id = %s WHERE id = %s",
            [str(flawed.pk), other.pk],
        )

    with pytest.raises(CommandError, match=f"Audit event {flawed.pk} "):
        told("seal_audit_trail", "--once")


@pytest.mark.parametrize(
    ("person", "reason", "sentence"),
    [
        ("administrator", "Because.", "Nothing is wrong with this event"),
        ("auditor", "Because.", "Only an administrator"),
        ("nobody", "Because.", "does not exist"),
    ],
)
def test_accept_flawed_event_refuses(world, person, reason, sentence):
    found = getattr(world, person, None)
    address = found.email if found else "nobody@agency.example"

    with nothing_recorded(), pytest.raises(CommandError, match=sentence):
        told(
            "accept_flawed_event",
            str(AuditEvent.objects.latest("pk").pk),
            *("--by", address, "--reason", reason),
        )


def test_accept_flawed_event_needs_a_reason(committed):
    [event] = happen(1)
    by = people.administrator().email
    with tampering() as superuser:
        superuser.execute(
            "UPDATE audit_auditevent SET body = '{}' WHERE id = %s", [event.pk]
        )

    with nothing_recorded(), pytest.raises(CommandError, match="what was found out"):
        told("accept_flawed_event", str(event.pk), "--by", by, "--reason", " ")
