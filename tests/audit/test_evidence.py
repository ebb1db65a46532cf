import io
import json
import subprocess
import sys
import zipfile

import pytest
from django.conf import settings

from apps.audit.models import AuditEvent, Disclosure
from apps.audit.personal import Personal, commitment_of, commitments_in
from apps.audit.transparency.checkpoint import parse_checkpoint
from tests.audit.sealing import bundle, happen, sealer_in, tampering, undo_tampering
from tests.factories import people

VERIFIER = settings.BASE_DIR / "apps" / "audit" / "verifier" / "auditverify.py"
VERIFIED, TAMPERED = 0, 1


@pytest.fixture
def sealed_trail(committed, tmp_path):
    """A sealer that sealed 260 events, and its published checkpoint."""
    sealer = sealer_in(tmp_path)
    happen(260)
    sealer.seal()
    return sealer


@pytest.fixture
def auditor(committed):
    return people.person("aud@agency.example", "Ada", agency_roles=["auditor"])


def verified(sealer, exported: bytes, folder, *options) -> tuple[int, dict]:
    """Let the shipped program say what it thinks, in a process of its own."""
    path, kept = folder / "bundle.zip", folder / "kept"
    path.write_bytes(exported)
    kept.write_text(sealer.files.published_file.read_text())
    command = [sys.executable, "-I", VERIFIER, "bundle", path, "--json"]
    done = subprocess.run(
        [*command, "--log-key", sealer.signer.vkey, "--kept", kept, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.returncode, json.loads(done.stdout)


def test_an_export_is_verified_by_the_shipped_program(sealed_trail, auditor, tmp_path):
    happen(3)
    sealed_trail.seal()

    code, answer = verified(sealed_trail, bundle(), tmp_path)

    assert (code, answer["findings"]) == (VERIFIED, [])
    assert answer["events"] == AuditEvent.objects.count()


def test_a_bundle_is_the_same_file_again(sealed_trail):
    assert bundle() == bundle()


def test_a_bundle_ends_at_the_checkpoint_that_was_asked_for(sealed_trail, tmp_path):
    happen(3)
    sealed_trail.seal()

    first = bundle(size=260)

    _, answer = verified(sealed_trail, first, tmp_path)
    assert answer["events"] == 260


def test_a_bundle_with_names_tells_who_stands_behind_the_commitments(
    sealed_trail, auditor, tmp_path
):
    waiting = Disclosure.objects.committed({Personal(auditor.pk, "not yet sealed")})

    exported = bundle(with_names=True)

    lines = zipfile.ZipFile(io.BytesIO(exported)).read("private/disclosures.txt")
    code, answer = verified(sealed_trail, exported, tmp_path, "--private")
    assert (code, answer["findings"]) == (VERIFIED, [])
    told = {*map(commitment_of, lines.decode().split())}
    events = AuditEvent.objects.filter(leaf__isnull=False)
    assert told == set().union(*(commitments_in(event.facts) for event in events))
    assert not told & {*waiting.values()}
    assert b"private" not in bundle()


def test_a_bundle_has_the_changes_that_are_too_large_for_an_event(
    sealed_trail, tmp_path
):
    for _ in range(2):
        happen(1, changes={"text": "long " * 20_000})
    happen(1, changes={"text": "longer " * 20_000})
    sealed_trail.seal()

    exported = bundle()

    code, answer = verified(sealed_trail, exported, tmp_path)
    names = zipfile.ZipFile(io.BytesIO(exported)).namelist()
    assert (code, answer["findings"]) == (VERIFIED, [])
    assert sum(name.startswith("payloads/") for name in names) == 2


def test_an_export_that_is_stopped_ends_at_once(sealed_trail):
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bundle(tell=stop)


@pytest.mark.parametrize(
    ("deed", "event"),
    [
        (
            "UPDATE audit_auditevent SET body = replace(body, '7', '8') WHERE id = {0}",
            7,
        ),
        ("DELETE FROM audit_auditevent WHERE id = {0}", 7),
        ("DELETE FROM audit_leaf WHERE event_pk = {0}", 7),
        ("UPDATE audit_auditevent SET body = body || E'\\n{{}}' WHERE id = {0}", 8),
        ("DELETE FROM audit_tile", 0),
    ],
)
def test_an_export_after_tampering_names_the_event(
    sealed_trail, auditor, tmp_path, deed, event
):
    eighth = AuditEvent.objects.get(leaf__leaf_index=7).pk
    with tampering() as superuser:
        superuser.execute(deed.format(eighth))

    code, answer = verified(sealed_trail, bundle(), tmp_path)

    assert code == TAMPERED
    assert event in {finding["index"] for finding in answer["findings"]}
    undo_tampering()


def test_a_shorter_trail_is_named_by_a_kept_checkpoint(sealed_trail, auditor, tmp_path):
    happen(5)
    sealed_trail.seal()
    before = sealed_trail.files.published_file.read_text()
    with tampering() as superuser:
        superuser.execute("DELETE FROM audit_checkpoint WHERE size > 261")
    exported = bundle()

    sealed_trail.files.published_file.write_text(before)
    code, answer = verified(sealed_trail, exported, tmp_path)

    assert code == TAMPERED
    assert answer["findings"]
    undo_tampering()


def test_page_and_api_hand_out_the_checkpoint(sealed_trail, auditor, client_of, api_of):
    browser, program = client_of(auditor), api_of(auditor)
    note = sealed_trail.files.published_file.read_text()

    for answer in (
        browser.get("/audit/checkpoint/"),
        program.get("/api/v1/audit/checkpoint"),
    ):
        assert answer.content.decode() == note
    assert parse_checkpoint(note.partition("\n\n")[0] + "\n").size == 260


def test_the_page_shows_how_the_sealing_stands(sealed_trail, auditor, client_of):
    happen(2)

    html = client_of(auditor).get("/audit/").content.decode()

    assert sealed_trail.signer.vkey in html
    assert "260 events" in html
    assert "Export with evidence" in html


def test_the_page_says_what_is_wrong(sealed_trail, auditor, client_of):
    with tampering() as superuser:
        superuser.execute("UPDATE audit_head SET finding = 'Event <7> was removed.'")

    html = client_of(auditor).get("/audit/").content.decode()

    assert "The trail is not what was sealed" in html
    assert "Event &lt;7&gt; was removed." in html


def test_the_verifier_is_handed_out_as_it_is(client_of, auditor):
    answer = client_of(auditor).get("/audit/verifier/")

    assert b"".join(answer.streaming_content) == VERIFIER.read_bytes()
    assert "auditverify.py" in answer["Content-Disposition"]
