"""The sign-off record is kept, printed, and verified without the portal."""

import json
import zipfile
from pathlib import Path

import pytest

from apps.approvals import actions
from apps.approvals.models import ApprovalRequest, SignOff
from apps.audit.models import AuditEvent
from apps.audit.proofs import Prover, leaf_index_of
from tests.audit.transparency.exports import command, rules
from tests.factories import approvals, exceptions, exports
from tests.factories.people import PASSWORD

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
KEY = ("--log-key", exports.SIGNER.vkey)
FIRST = "01-technical-review"


@pytest.fixture
def approval(world) -> ApprovalRequest:
    return approvals.approved(world)


@pytest.fixture
def kept(approval, auditor, client_of, tmp_path) -> Path:
    return downloaded(approval, client_of(auditor), tmp_path)


def downloaded(approval, client, folder: Path) -> Path:
    exports.seal_everything()
    answer = client.get(f"/approval-requests/{approval.pk}/sign-off-record.zip")
    assert answer["Content-Type"] == "application/zip"
    path = folder / "record.zip"
    path.write_bytes(answer.content)
    return path


def rewritten(path: Path, name: str, change) -> Path:
    with zipfile.ZipFile(path) as archive:
        files = {one: archive.read(one) for one in archive.namelist()}
    files[name] = change(files[name])
    with zipfile.ZipFile(path, "w") as archive:
        for one, content in files.items():
            if content:
                archive.writestr(one, content)
    return path


def test_every_signature_is_verified_offline(kept, world):
    code, answer = command("sign-off", kept, *KEY)

    assert code == UNSUPPORTED  # as `event`: nothing from outside vouches for it
    assert [one["meaning"] for one in answer["signatures"]] == [
        "Independently validated",
        "Ready to operate",
        "Approved for production",
    ]
    assert any(world.validator.full_name in line for line in answer["lines"])


def test_a_record_with_minimum_practices_is_verified_too(world, client_of, tmp_path):
    path = downloaded(exceptions.approved(world), client_of(world.validator), tmp_path)

    code, answer = command("sign-off", path, *KEY)
    assert code == UNSUPPORTED
    assert len(answer["signatures"]) == 4

    rewritten(path, "evidence.json", lambda text: text.replace(b"As the", b"At the"))
    assert command("sign-off", path, *KEY)[0] == TAMPERED


def test_a_signature_that_was_taken_back_is_in_it(world, client_of, tmp_path):
    approval = approvals.sign(approvals.request(world), world.validator)
    actions.withdraw_sign_off(
        sign_off=SignOff.objects.get(),
        reason="I misread the curve.",
        password=PASSWORD,
        by=world.validator,
    )
    path = downloaded(approval, client_of(world.validator), tmp_path)

    code, answer = command("sign-off", path, *KEY)

    assert code == UNSUPPORTED
    formats = [one["format"] for one in answer["signatures"]]
    assert formats == ["portal-sign-off-1", "portal-sign-off-withdrawal-1"]


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        (f"{FIRST}/record.json", lambda b: b.replace(b"Fine.", b"Fine!"), "sign-off"),
        ("evidence.json", lambda b: b.replace(b"pass", b"fail"), "sign-off.evidence"),
        (f"{FIRST}/event.json", lambda b: b.replace(b"Fine.", b"Fine!"), "proof"),
    ],
)
def test_one_altered_word_is_found(kept, name, change, rule):
    code, answer = command("sign-off", rewritten(kept, name, change), *KEY)
    assert code == TAMPERED
    assert rule in rules(answer)


def test_an_event_that_is_no_signature_is_found(kept, approval):
    event = AuditEvent.objects.get(type="approval.requested")
    proof = Prover().prove(leaf_index_of(event)).encode()
    rewritten(kept, f"{FIRST}/event.json", lambda _: event.body.encode())
    rewritten(kept, f"{FIRST}/event.tlog-proof", lambda _: proof)

    code, answer = command("sign-off", kept, *KEY)

    assert code == TAMPERED
    assert {"sign-off.form", "sign-off"} <= rules(answer)


@pytest.mark.parametrize("part", ["event.json", "event.tlog-proof"])
def test_a_missing_part_is_no_verification(kept, part):
    rewritten(kept, f"{FIRST}/{part}", lambda _: b"")
    assert command("sign-off", kept, *KEY)[0] == INCOMPLETE


def test_what_is_no_record_is_said(tmp_path):
    path = tmp_path / "record.zip"
    path.write_bytes(b"no zip")
    code, answer = command("sign-off", path, *KEY)
    assert (code, rules(answer)) == (INCOMPLETE, {"file.unreadable"})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evidence.json", "{}")
    assert "sign-off.form" in rules(command("sign-off", path, *KEY)[1])


def test_the_record_waits_for_its_seal(approval, auditor, client_of):
    address = f"/approval-requests/{approval.pk}/sign-off-record.zip"
    assert client_of(auditor).get(address).status_code == 409


def test_nobody_signed_means_no_proofs(world, client_of):
    exports.seal_everything()
    approval = approvals.request(world)
    address = f"/approval-requests/{approval.pk}/sign-off-record.zip"
    assert client_of(world.validator).get(address).status_code == 409


def test_the_printed_record_is_tagged(approval, world, client_of, api_of):
    address = f"/approval-requests/{approval.pk}/sign-off-record"
    page = client_of(world.validator).get(f"{address}.pdf")
    answer = api_of(world.validator).get(f"/api/v1{address}.pdf")

    assert page.content.startswith(b"%PDF-")
    assert b"pdfuaid" in page.content
    assert b"/StructTreeRoot" in page.content
    assert answer["Content-Type"] == "application/pdf"
    assert client_of(world.validator).get(f"{address}.doc").status_code == 404


def test_an_erased_signer_leaves_no_text(approval, kept, world, client_of, tmp_path):
    SignOff.objects.filter(signer=world.validator).update(record="")
    path = downloaded(approval, client_of(world.program_manager), tmp_path)
    with zipfile.ZipFile(path) as archive:
        texts = [one for one in archive.namelist() if one.endswith("record.json")]
        meanings = [json.loads(archive.read(one))["meaning"] for one in texts]
    assert meanings == ["Ready to operate", "Approved for production"]
