"""A certificate is shown, downloaded and verified without the portal."""

import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from apps.audit.models import AuditEvent
from apps.audit.proofs import Prover, leaf_index_of
from tests.audit.transparency.exports import command, rules
from tests.factories import exports, regenerations

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
KEY = ("--log-key", exports.SIGNER.vkey)


@pytest.fixture
def found(project, data_scientist):
    return regenerations.certified(project, data_scientist)


@pytest.fixture
def certificate(found, auditor, client_of, tmp_path) -> Path:
    exports.seal_everything()
    answer = client_of(auditor).get(f"/regenerations/{found.pk}/certificate/")
    assert answer["Content-Type"] == "application/zip"
    path = tmp_path / "certificate.zip"
    path.write_bytes(answer.content)
    return path


def rewritten(path: Path, **changed: bytes) -> Path:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files |= {name.replace("__", "."): content for name, content in changed.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            if content:
                archive.writestr(name, content)
    return path


def test_a_certificate_is_verified_offline(certificate, found):
    code, answer = command("certificate", certificate, *KEY)

    assert code == UNSUPPORTED  # as `event`: nothing from outside vouches for it
    assert answer["certificate"] == found.facts
    assert answer["certificate"]["verdict"] == "identical"
    assert answer["event"]["action"] == "regeneration.certified"
    assert any("Identical" in line for line in answer["lines"])


def test_a_certificate_says_which_files_are_certified(certificate, tmp_path):
    other = tmp_path / "other.skops"
    other.write_bytes(b"not the model")

    code, answer = command("certificate", certificate, *KEY, "--file", other)

    assert (code, rules(answer)) == (TAMPERED, {"certificate.file"})


def test_a_changed_certificate_is_found(certificate):
    with zipfile.ZipFile(certificate) as archive:
        text = archive.read("certificate.json")
    rewritten(certificate, certificate__json=text.replace(b"identical", b"different"))

    code, answer = command("certificate", certificate, *KEY)

    assert (code, rules(answer)) == (TAMPERED, {"certificate"})


def test_a_changed_event_is_found(certificate):
    with zipfile.ZipFile(certificate) as archive:
        event = json.loads(archive.read("event.json"))
    event["reason"] = "another"
    rewritten(certificate, event__json=json.dumps(event).encode())

    code, answer = command("certificate", certificate, *KEY)

    assert (code, rules(answer)) == (TAMPERED, {"proof", "body.form"})


def test_an_event_of_another_kind_is_found(certificate, project, data_scientist):
    regenerations.requested(project, data_scientist)
    exports.seal_everything()
    event = AuditEvent.objects.filter(type="regeneration.requested").latest("pk")
    proof = Prover().prove(leaf_index_of(event)).encode()
    rewritten(
        certificate, event__json=event.body.encode(), **{"event__tlog-proof": proof}
    )

    code, answer = command("certificate", certificate, *KEY)

    assert code == TAMPERED
    assert "certificate.form" in rules(answer)


@pytest.mark.parametrize(
    "part", ["certificate__json", "event__json", "event__tlog-proof"]
)
def test_a_certificate_without_its_parts_is_incomplete(certificate, part):
    rewritten(certificate, **{part: b""})

    assert command("certificate", certificate, *KEY)[0] == INCOMPLETE


def test_what_is_no_zip_is_incomplete(tmp_path):
    (tmp_path / "certificate.zip").write_bytes(b"no zip")

    code, answer = command("certificate", tmp_path / "certificate.zip", *KEY)

    assert (code, rules(answer)) == (INCOMPLETE, {"file.unreadable"})


def test_a_certificate_waits_for_its_seal(found, auditor, client_of):
    exports.seal_everything()
    later = regenerations.certified(found.project, auditor, found.run)

    answer = client_of(auditor).get(f"/regenerations/{later.pk}/certificate/")
    page = client_of(auditor).get(later.get_absolute_url())

    assert answer.status_code == 409
    assert "the seal follows" in page.content.decode()
    assert "Download certificate" not in page.content.decode()


def test_there_is_no_certificate_before_a_result(project, data_scientist, client_of):
    exports.seal_everything()
    waiting = regenerations.requested(project, data_scientist)

    answer = client_of(data_scientist).get(f"/regenerations/{waiting.pk}/certificate/")

    assert answer.status_code == 409


def test_the_readme_of_a_certificate_says_how(certificate, found):
    with zipfile.ZipFile(BytesIO(certificate.read_bytes())) as archive:
        text = archive.read("README.md").decode()

    assert f"auditverify.py certificate regeneration-{found.pk}.zip" in text
