import io
import json
import subprocess
import sys
import zipfile

import pytest
from django.conf import settings

from apps.audit import actions
from apps.audit.models import AuditEvent
from apps.audit.transparency.checkpoint import parse_checkpoint
from apps.core.errors import Refused, WrongState
from tests.audit.sealing import happen, sealer_in, tampering, undo_tampering
from tests.factories import people
from tests.trail import nothing_recorded, one_event

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


def exported(by) -> bytes:
    with actions.export_audit_bundle(by=by) as bundle:
        return bundle.read()


def verified(sealer, bundle: bytes, folder, *options) -> tuple[int, dict]:
    """Let the shipped program say what it thinks, in a process of its own."""
    path, kept = folder / "bundle.zip", folder / "kept"
    path.write_bytes(bundle)
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

    code, answer = verified(sealed_trail, exported(auditor), tmp_path)

    assert (code, answer["findings"]) == (VERIFIED, [])
    assert answer["events"] == AuditEvent.objects.count() - 1  # the export's own


def test_export_audit_bundle_records_the_digest_of_the_manifest(
    sealed_trail, auditor, tmp_path
):
    with one_event("audit.exported") as events:
        bundle = exported(auditor)

    _, answer = verified(sealed_trail, bundle, tmp_path)
    assert events[0].changes == {
        "format": "bundle",
        "events": answer["events"],
        "manifest_sha256": answer["manifest"],
    }


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

    code, answer = verified(sealed_trail, exported(auditor), tmp_path)

    assert code == TAMPERED
    assert event in {finding["index"] for finding in answer["findings"]}
    undo_tampering()


def test_a_shorter_trail_is_named_by_a_kept_checkpoint(sealed_trail, auditor, tmp_path):
    happen(5)
    sealed_trail.seal()
    before = sealed_trail.files.published_file.read_text()
    with tampering() as superuser:
        superuser.execute("DELETE FROM audit_checkpoint WHERE size > 261")
    bundle = exported(auditor)

    sealed_trail.files.published_file.write_text(before)
    code, answer = verified(sealed_trail, bundle, tmp_path)

    assert code == TAMPERED
    assert answer["findings"]
    undo_tampering()


def test_export_audit_bundle_refuses_others_and_an_empty_trail(world):
    for person in (world.program_manager, world.administrator, world.developer):
        with nothing_recorded(), pytest.raises(Refused, match="Only an auditor"):
            actions.export_audit_bundle(by=person)

    with nothing_recorded(), pytest.raises(WrongState, match="Nothing is sealed yet"):
        actions.export_audit_bundle(by=world.auditor)


def test_page_and_api_hand_out_bundle_and_checkpoint(
    sealed_trail, auditor, client_of, api_of
):
    browser, program = client_of(auditor), api_of(auditor)
    note = sealed_trail.files.published_file.read_text()

    for answer in (browser.get("/audit/bundle/"), program.get("/api/v1/audit/bundle")):
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/zip"
        bundle = io.BytesIO(b"".join(answer.streaming_content))
        assert "MANIFEST.json" in zipfile.ZipFile(bundle).namelist()
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
