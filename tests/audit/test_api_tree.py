import subprocess
import sys
from base64 import b64decode

import pytest
from django.conf import settings

from apps.audit.models import AuditEvent, Checkpoint
from apps.audit.transparency.bundle import checkpoint_of
from apps.audit.transparency.tree import (
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.audit.sealing import happen, sealer_in
from tests.factories import exports, people
from tests.trail import nothing_recorded, one_event

AUDIT = "/api/v1/audit"


@pytest.fixture
def size(world):
    return exports.seal_everything()


@pytest.fixture
def outsiders(outsider, api_of):
    """A program of somebody who may read nothing of the trail."""
    return api_of(outsider, "read")


@pytest.fixture
def auditors(auditor, api_of):
    return api_of(auditor, "read")


def root(size: int) -> bytes:
    return bytes(Checkpoint.objects.get(size=size).root)


def hashes(answer) -> list[bytes]:
    return [b64decode(one) for one in answer.json()["proof"]]


def test_whoever_is_signed_in_reads_hashes(outsiders, size):
    answer = outsiders.get(f"{AUDIT}/tile/0/000.p/{size}")

    leaves = AuditEvent.objects.filter(leaf__isnull=False).order_by("leaf__leaf_index")
    assert answer.content == b"".join(bytes(one.leaf_hash) for one in leaves)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"


def test_full_tiles_and_parts_of_them_are_read(committed, tmp_path, api_of):
    reader = people.person("out@agency.example", "Otto")
    sealer = sealer_in(tmp_path)
    happen(300)
    sealer.seal()
    api = api_of(reader, "read")

    full = api.get(f"{AUDIT}/tile/0/000").content
    part = api.get(f"{AUDIT}/tile/0/000.p/7").content
    last = api.get(f"{AUDIT}/tile/0/001.p/44").content
    above = api.get(f"{AUDIT}/tile/1/000.p/1").content

    assert (len(full), len(last), len(above)) == (256 * 32, 44 * 32, 32)
    assert full.startswith(part)
    assert len(part) == 7 * 32


@pytest.mark.parametrize(
    "place",
    [
        *("0/001", "0/000", "0/x000/001", "0/1", "0/000.p/0", "0/000.p/256"),
        *("1/000.p/1", "64/000.p/1", "0/000.p/999", "0/..", "entries/001.p/1"),
    ],
)
def test_a_tile_that_is_not_there_is_not_found(auditors, size, place):
    answer = auditors.get(f"{AUDIT}/tile/{place}")

    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "message"}


def test_entries_are_the_events_behind_their_length(auditors, size):
    with one_event("audit.viewed") as events:
        answer = auditors.get(f"{AUDIT}/tile/entries/000.p/3")

    rest, found = answer.content, []
    while rest:
        length = int.from_bytes(rest[:2], "big")
        found.append(rest[2 : 2 + length])
        rest = rest[2 + length :]
    bodies = AuditEvent.objects.order_by("leaf__leaf_index").values_list("body")[:3]
    assert found == [body.encode() for (body,) in bodies]
    assert events[0].changes == {"entries": "000.p/3"}


def test_entries_are_refused_to_others(program_manager, api_of, size):
    answer = api_of(program_manager, "read").get(f"{AUDIT}/tile/entries/000.p/3")

    assert answer.status_code == 403


def test_consistency_is_proven(outsiders, outsider, size, tmp_path):
    exports.large_event(outsider)
    grown = exports.seal_everything()

    answer = outsiders.get(f"{AUDIT}/consistency", {"old": size, "new": grown})

    proof = [b64decode(line) for line in answer.content.split()]
    verify_consistency(size, grown, proof, root(size), root(grown))
    for name, content in {
        "old": Checkpoint.objects.get(size=size).note.encode(),
        "new": Checkpoint.objects.get(size=grown).note.encode(),
        "proof": answer.content,
    }.items():
        (tmp_path / name).write_bytes(content)
    program = settings.BASE_DIR / "apps" / "audit" / "verifier" / "auditverify.py"
    command = [sys.executable, "-I", program, "consistency", "old", "new"]
    options = ["--proof", "proof", "--log-key", exports.SIGNER.vkey]
    subprocess.run([*command, *options], cwd=tmp_path, check=True, capture_output=True)


def test_inclusion_is_proven_by_leaf_and_by_event(auditors, size):
    event = AuditEvent.objects.get(leaf__leaf_index=3)

    by_leaf = auditors.get(f"{AUDIT}/inclusion", {"leaf": 3, "size": size})
    by_event = auditors.get(
        f"{AUDIT}/inclusion", {"event": str(event.event_id), "size": size}
    )

    assert by_leaf.json() == by_event.json()
    leaf = leaf_hash(event.body.encode())
    verify_inclusion(leaf, 3, size, hashes(by_leaf), root(size))


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("consistency", {"old": 1}),
        ("consistency", {"old": "x", "new": 2}),
        ("consistency", {"old": -1, "new": 2}),
        ("consistency", {"old": 3, "new": 2}),
        ("consistency", {"old": 1, "new": 10**9}),
        ("consistency", {"old": 1, "new": 10**30}),
        ("inclusion", {"size": 2}),
        ("inclusion", {"leaf": 0, "size": 0}),
        ("inclusion", {"leaf": 2, "size": 2}),
        ("inclusion", {"leaf": 0, "event": str(exports.SIGNER.key_id), "size": 2}),
        ("inclusion", {"event": "x", "size": 2}),
    ],
)
def test_what_cannot_be_proven_is_invalid(auditors, size, address, query):
    with nothing_recorded():
        answer = auditors.get(f"{AUDIT}/{address}", query)

    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid"


def test_an_event_that_i_may_not_read_is_not_there(outsiders, size):
    event = AuditEvent.objects.filter(type="member.added").first()

    by_event = outsiders.get(
        f"{AUDIT}/inclusion", {"event": str(event.event_id), "size": size}
    )
    proof = outsiders.get(f"{AUDIT}/events/{event.event_id}/proof")

    assert (by_event.status_code, proof.status_code) == (404, 404)


def test_an_event_that_is_not_sealed_is_a_wrong_state(auditors, auditor, size):
    event = exports.large_event(auditor)

    for address in (
        f"{AUDIT}/events/{event.event_id}/proof",
        f"{AUDIT}/inclusion?event={event.event_id}&size={size}",
    ):
        answer = auditors.get(address)
        assert answer.status_code == 409
        assert "waits for the sealer" in answer.json()["message"]


def test_the_checkpoint_leads_to_the_tiles(outsiders, size):
    note = outsiders.get(f"{AUDIT}/checkpoint").content.decode()

    assert checkpoint_of(note).size == size


def test_a_page_offers_the_proof_of_an_event(auditor, client_of, size):
    event = AuditEvent.objects.get(leaf__leaf_index=2)
    client = client_of(auditor)

    page = client.get(event.get_absolute_url()).content.decode()
    answer = client.get(f"{event.get_absolute_url()}proof/")

    assert f"{event.get_absolute_url()}proof/" in page
    assert answer["Content-Disposition"] == (
        f'attachment; filename="audit-event-{event.event_id}.zip"'
    )
    assert answer.content.startswith(b"PK")
