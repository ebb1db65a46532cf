import io
import subprocess
import sys
import zipfile

import pytest
from django.conf import settings

from apps.audit import actions, proofs
from apps.audit.models import AuditEvent, Leaf, Tile
from apps.audit.transparency.note import Verifier
from apps.audit.transparency.proof import parse_proof, verify_proof
from apps.core.errors import Invalid, Refused
from tests.audit.sealing import happen, sealer_in
from tests.factories import exports, people
from tests.trail import nothing_recorded, one_event

PROGRAM = settings.BASE_DIR / "apps" / "audit" / "verifier" / "auditverify.py"


def unpacked(content: bytes) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_an_event_is_proven_by_a_file_alone(committed, tmp_path, index):
    sealer = sealer_in(tmp_path)
    happen(300)
    sealer.seal()
    event = AuditEvent.objects.get(leaf__leaf_index=index)

    files = unpacked(proofs.proven(event))

    proof = parse_proof(files[f"proofs/{event.event_id}.tlog-proof"].decode())
    assert files[f"events/{event.event_id}.json"].decode() == event.body
    checkpoint = verify_proof(
        proof, bytes(event.leaf_hash), [Verifier(sealer.signer.vkey)]
    )
    assert (proof.index, checkpoint.size) == (index, 300)


def test_the_shipped_program_accepts_the_file_as_a_whole_and_in_parts(db, tmp_path):
    auditor = people.person("aud@agency.example", "Ada", agency_roles=["auditor"])
    event = exports.large_event(auditor)
    exports.seal_everything()
    (tmp_path / "proof.zip").write_bytes(proofs.proven(event))
    kept = tmp_path / "kept"
    kept.write_text(proofs.Prover().note)
    with zipfile.ZipFile(tmp_path / "proof.zip") as archive:
        archive.extractall(tmp_path)
    parts = [
        tmp_path / "proofs" / f"{event.event_id}.tlog-proof",
        tmp_path / "events" / f"{event.event_id}.json",
    ]

    for what in (["bundle", tmp_path / "proof.zip"], ["event", *parts]):
        keys = ["--log-key", exports.SIGNER.vkey, "--kept", kept]
        done = subprocess.run(
            [sys.executable, "-I", PROGRAM, *what, *keys],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_prove_event_is_recorded(auditor):
    event = AuditEvent.objects.latest("pk")
    exports.seal_everything()

    with one_event("audit.viewed") as events:
        file = actions.prove_event(event=event, by=auditor)

    assert unpacked(file)
    assert events[0].changes == {"proof_of": str(event.event_id)}


def test_prove_event_refuses_what_one_may_not_read(developer):
    event = AuditEvent.objects.filter(type="member.added").latest("pk")
    exports.seal_everything()

    with nothing_recorded(), pytest.raises(Refused):
        actions.prove_event(event=event, by=developer)


def test_prove_event_waits_for_the_sealer(auditor, developer):
    early = AuditEvent.objects.latest("pk")

    with nothing_recorded(), pytest.raises(proofs.NotSealed, match="Nothing is sealed"):
        actions.prove_event(event=early, by=auditor)
    exports.seal_everything()
    late = exports.large_event(auditor)

    with nothing_recorded(), pytest.raises(proofs.NotSealed, match="waits for the"):
        actions.prove_event(event=late, by=auditor)


def test_a_proof_asks_few_queries_however_large_the_tree(
    committed, tmp_path, django_assert_max_num_queries
):
    sealer = sealer_in(tmp_path)
    happen(600)
    sealer.seal()
    event = AuditEvent.objects.get(leaf__leaf_index=10)

    with django_assert_max_num_queries(8):
        proofs.proven(event)


def test_proofs_between_sizes_that_are_not_sealed_are_invalid(auditor):
    size = exports.seal_everything()

    with pytest.raises(Invalid, match=f"Only {size} events are sealed"):
        proofs.consistency(old=1, new=size + 1)
    with pytest.raises(Invalid, match="cannot continue"):
        proofs.consistency(old=2, new=1)
    with pytest.raises(Invalid, match="has no leaf"):
        proofs.inclusion(index=size, size=size)


def test_without_a_tree_there_are_no_tiles(db):
    assert proofs.tile_of_hashes(level=0, index=0, width=1) is None
    assert proofs.tile_of_entries(index=0, width=1) is None
    assert not Tile.objects.exists()
    assert not Leaf.objects.exists()
