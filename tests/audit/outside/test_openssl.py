"""OpenSSL accepts signatures and time stamps of a real export, and so do we."""

import json
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest
from django.conf import settings

from apps.audit.transparency.checkpoint import parse_checkpoint
from apps.audit.verifier import auditverify
from tests.audit.outside.authority import Authority
from tests.audit.transparency.exports import (
    Log,
    Witness,
    bodies,
    restate,
    rules,
    verify,
)

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
PROGRAM = Path(settings.BASE_DIR) / "apps" / "audit" / "verifier" / "auditverify.py"
DER_OF_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410


# Signatures


def signature_accepted(note, vkey, folder):
    """Ask `openssl pkeyutl` about the first signature of a note."""
    text, _, lines = note.rpartition("\n\n")
    signed = b64decode(lines.split("\n")[0].split(" ")[2])[4:]
    key = DER_OF_ED25519 + b64decode(vkey.split("+", 2)[2])[1:]
    for name, content in (
        ("text", f"{text}\n".encode()),
        ("sig", signed),
        ("key", key),
    ):
        (folder / name).write_bytes(content)
    files = ("-inkey", "key", "-in", "text", "-sigfile", "sig")
    done = subprocess.run(
        [
            "openssl",
            "pkeyutl",
            "-verify",
            "-rawin",
            "-pubin",
            "-keyform",
            "DER",
            *files,
        ],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode == 0 and b"Signature Verified Successfully" in done.stdout


def test_openssl_accepts_the_signature_of_a_real_export(export, tmp_path):
    note = (export.folder / "checkpoint").read_text()

    assert signature_accepted(note, export.vkey, tmp_path)
    assert not signature_accepted(
        note.replace("\n305\n", "\n304\n"), export.vkey, tmp_path
    )


def test_the_shipped_program_agrees_about_the_same_files(export):
    trust = ["--log-key", export.vkey, "--kept", export.kept, "--json"]
    newest, proof = export.folder / "checkpoint", ("--proof", export.consistency)
    asked = {
        "bundle": [export.archive, *trust],
        "event": [export.proof, export.event, *trust],
        "consistency": [export.kept, newest, *proof, *trust[:2], "--json"],
    }

    answers = {
        command: subprocess.run(
            [sys.executable, "-I", PROGRAM, command, *options],
            capture_output=True,
            check=False,
        )
        for command, options in asked.items()
    }

    codes = {command: answer.returncode for command, answer in answers.items()}
    assert codes == {"bundle": VERIFIED, "event": UNSUPPORTED, "consistency": VERIFIED}
    assert json.loads(answers["bundle"].stdout)["events"] == 305


# Time stamps


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tsa") / "authority")


@pytest.fixture(scope="module")
def log():
    return Log(bodies(300))


@pytest.fixture
def stamped(log, authority, tmp_path):
    """An export whose newest and one older checkpoint were stamped, then cosigned."""
    notes = {size: log.checkpoint(size) for size in (256, 300)}
    stamps = [(size, authority.stamp(note.encode())) for size, note in notes.items()]
    note = Witness().cosign(notes[300])
    return log.exported(tmp_path / "export", note=note, earlier=[256], stamps=stamps)


def test_a_time_stamp_over_a_real_export_is_accepted_and_confirms_it(
    export, authority, capsys
):
    note = (export.folder / "checkpoint").read_bytes()
    size = parse_checkpoint(note.decode().rpartition("\n\n")[0] + "\n").size
    (export.folder / "timestamps").mkdir()
    (export.folder / "timestamps" / f"{size}.tsr").write_bytes(authority.stamp(note))
    restate(export.folder)
    trust = ["--log-key", export.vkey, "--tsa-ca", str(authority.certificate)]

    code = auditverify.main(["bundle", str(export.folder), *trust])

    printed = capsys.readouterr().out
    assert code == VERIFIED
    assert f"The first {size} are confirmed from outside the export." in printed
    assert f"Time stamp: {size} events existed at " in printed
    assert " GMT." in printed


def test_each_time_stamp_is_checked_over_what_the_log_alone_signed(
    log, stamped, authority
):
    code, answer = verify(stamped, log, "--tsa-ca", authority.certificate)

    assert (code, answer["confirmed"]) == (VERIFIED, 300)


def test_a_time_stamp_from_the_overlap_of_two_keys_is_accepted(authority, tmp_path):
    old, new = Log(bodies(9)), Log(bodies(9), seed=2)
    note = old.checkpoint() + new.checkpoint().splitlines()[-1] + "\n"
    for signed in (note, old.checkpoint()):
        stamp = (9, authority.stamp(signed.encode()))
        export = old.exported(tmp_path / "export", note=note, stamps=[stamp])
        both = ("--log-key", new.signer.vkey, "--tsa-ca", authority.certificate)

        assert verify(export, old, *both)[0] == VERIFIED
        shutil.rmtree(export)


def test_a_time_stamp_of_another_state_is_found(log, stamped, authority):
    stamps = stamped / "timestamps"
    (stamps / "300.tsr").write_bytes(authority.stamp(b"another text"))
    restate(stamped)

    code, answer = verify(stamped, log, "--tsa-ca", authority.certificate)

    assert (code, rules(answer)) == (TAMPERED, {"timestamp"})
    assert answer["findings"][0]["place"] == "timestamps/300.tsr"


def touched(content):
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


@pytest.mark.parametrize("spoil", [touched, lambda _: b"", lambda _: b"\x30" * 500])
def test_a_spoilt_time_stamp_confirms_nothing(log, stamped, authority, spoil):
    for size in (256, 300):
        token = stamped / "timestamps" / f"{size}.tsr"
        token.write_bytes(spoil(token.read_bytes()))
    restate(stamped)

    code, answer = verify(stamped, log, "--tsa-ca", authority.certificate)

    assert (code, rules(answer)) == (INCOMPLETE, {"timestamp.unverified"})
    assert answer["confirmed"] == 0


def test_a_time_stamp_of_another_authority_confirms_nothing(log, stamped, tmp_path):
    stranger = Authority(tmp_path / "stranger", "Another authority")

    code, answer = verify(stamped, log, "--tsa-ca", stranger.certificate)

    assert (code, rules(answer)) == (INCOMPLETE, {"timestamp.unverified"})


def test_a_time_stamp_without_its_checkpoint_confirms_nothing(log, stamped, authority):
    (stamped / "timestamps" / "300.tsr").rename(stamped / "timestamps" / "299.tsr")
    restate(stamped)

    code, answer = verify(stamped, log, "--tsa-ca", authority.certificate)

    assert (code, rules(answer)) == (INCOMPLETE, {"timestamp.unverified"})
    assert answer["findings"][0]["found"] == "no checkpoint of this size"


def test_without_time_stamps_or_openssl_the_evidence_is_incomplete(
    log, stamped, authority, tmp_path, monkeypatch
):
    bare = log.exported(tmp_path / "bare")

    _, without_stamps = verify(bare, log, "--tsa-ca", authority.certificate)
    monkeypatch.setenv("PATH", str(tmp_path))
    code, without_program = verify(stamped, log, "--tsa-ca", authority.certificate)

    assert rules(without_stamps) == {"timestamp.missing"}
    assert (code, rules(without_program)) == (INCOMPLETE, {"timestamp.tool"})
    assert verify(stamped, log)[0] == UNSUPPORTED


def test_a_program_that_hangs_is_stopped(
    log, stamped, authority, tmp_path, monkeypatch
):
    program = tmp_path / "openssl"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(auditverify, "OPENSSL_SECONDS", 0.2)
    monkeypatch.setattr(auditverify.shutil, "which", lambda _: str(program))

    code, answer = verify(stamped, log, "--tsa-ca", authority.certificate)

    assert (code, rules(answer)) == (INCOMPLETE, {"timestamp.unverified"})
