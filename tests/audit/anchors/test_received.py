"""What anchors gave back goes into the bundle, and proves something there."""

import io
import subprocess
import sys
import zipfile

import pytest
from django.conf import settings as portal

from apps.audit.transparency.cosignature import CosignatureVerifier
from apps.audit.transparency.note import Verifier, open_note
from tests.audit.anchors.places import AuthorityPlace, WitnessPlace, openssl
from tests.audit.anchors.publishing import is_later, publisher_of
from tests.audit.sealing import ORIGIN, bundle, happen, sealer_in


@pytest.fixture
def anchored(committed, settings, tmp_path):
    """A trail of 3 cosigned and stamped events, 2 cosigned later, 1 not anchored."""
    sealer = sealer_in(tmp_path)
    keys = {ORIGIN: [Verifier(sealer.signer.vkey)]}
    with (
        WitnessPlace(keys) as witness,
        AuthorityPlace(tmp_path / "authority") as authority,
    ):
        publisher = publisher_of(sealer, settings, witness.address, authority.address)
        for count in (3, 2):
            happen(count)
            sealer.seal()
            publisher.publish()
            is_later(seconds=61)
        yield sealer, witness


def exported() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(bundle()))


def names_on(note: bytes, sealer, witness) -> list[str]:
    keys = [Verifier(sealer.signer.vkey), CosignatureVerifier(witness.cosigner.vkey)]
    return open_note(note.decode(), keys)[1]


def test_the_checkpoint_of_a_bundle_carries_the_cosignature(anchored):
    sealer, witness = anchored

    bundle = exported()

    note = bundle.read("checkpoint")
    assert names_on(note, sealer, witness) == [ORIGIN, "witness.example/w1"]


def test_the_newest_cosigned_checkpoint_is_there_when_a_newer_one_is_not(anchored):
    sealer, witness = anchored
    happen(1)
    sealer.seal()

    bundle = exported()

    assert names_on(bundle.read("checkpoint"), sealer, witness) == [ORIGIN]
    earlier = bundle.read("checkpoints/5")
    assert names_on(earlier, sealer, witness) == [ORIGIN, "witness.example/w1"]


def test_a_token_of_a_bundle_is_over_the_checkpoint_as_the_log_signed_it(
    anchored, tmp_path
):
    bundle = exported()

    bundle.extract("timestamps/3.tsr", tmp_path)
    bundle.extract("keys/tsa-ca.pem", tmp_path)
    head, _, lines = bundle.read("checkpoints/3").decode().rpartition("\n\n")
    signed = f"{head}\n\n{lines.splitlines()[0]}\n"
    (tmp_path / "note").write_text(signed)
    openssl(
        "ts -verify -in timestamps/3.tsr -data note -CAfile keys/tsa-ca.pem", tmp_path
    )


def test_the_shipped_verifier_accepts_cosigned_checkpoints(
    committed, settings, tmp_path
):
    sealer = sealer_in(tmp_path)
    happen(3)
    sealer.seal()
    with WitnessPlace({ORIGIN: [Verifier(sealer.signer.vkey)]}) as witness:
        publisher_of(sealer, settings, witness.address).publish()
    (tmp_path / "bundle.zip").write_bytes(bundle())

    verifier = portal.BASE_DIR / "apps" / "audit" / "verifier" / "auditverify.py"
    command = [sys.executable, "-I", verifier, "bundle", tmp_path / "bundle.zip"]
    keys = ["--log-key", sealer.signer.vkey, "--kept", sealer.files.published_file]
    done = subprocess.run(
        [*command, *keys], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_without_anchors_a_bundle_has_neither(committed, settings, tmp_path):
    sealer = sealer_in(tmp_path)
    happen(1)
    sealer.seal()
    settings.AUDIT_ANCHORS = ["ftp://malformed"]

    names = exported().namelist()

    assert not [name for name in names if "tsr" in name or "tsa" in name]
