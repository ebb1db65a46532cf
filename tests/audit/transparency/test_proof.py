import pytest

from apps.audit.transparency.note import InvalidNote, Verifier
from apps.audit.transparency.proof import (
    EventProof,
    format_proof,
    parse_proof,
    prove_event,
    verify_proof,
)
from apps.audit.transparency.tiles import hashes_in
from apps.audit.transparency.tree import InvalidProof, leaf_hash
from tests.audit.transparency import reference
from tests.audit.transparency.exports import Log, bodies

COUNT = 300


@pytest.fixture(scope="module")
def log():
    return Log(bodies(COUNT))


def proof_in(log, index, size=COUNT):
    return prove_event(index, log.checkpoint(size), hashes_in(log.read_tile))


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, COUNT])
def test_proof_of_each_event_is_that_of_the_definition(log, size):
    leaves = [event.encode() for event in log.events[:size]]
    keys = [Verifier(log.signer.vkey)]
    for index in {0, 1, size // 2, size - 1} & set(range(size)):
        read = parse_proof(format_proof(proof_in(log, index, size)))

        assert read.hashes == tuple(reference.path(index, leaves))
        assert verify_proof(read, leaf_hash(leaves[index]), keys).size == size


def test_proof_is_written_as_the_specification_shows():
    proof = EventProof(73894, (b"\x01" * 32, b"\x02" * 32), "name\n", b"beside")

    text = format_proof(proof)

    assert text == (
        "c2sp.org/tlog-proof@v1\n"
        "extra YmVzaWRl\n"
        "index 73894\n"
        "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
        "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n"
        "\n"
        "name\n"
    )
    assert parse_proof(text) == proof


def test_proof_of_another_event_place_or_log_is_refused(log):
    proof, keys = proof_in(log, 7), [Verifier(log.signer.vkey)]
    leaf = leaf_hash(log.events[7].encode())
    elsewhere = EventProof(8, proof.hashes, proof.note)
    shorter = EventProof(7, proof.hashes[:-1], proof.note)
    stranger = Log(log.events, seed=9)

    with pytest.raises(InvalidProof):
        verify_proof(proof, leaf_hash(log.events[8].encode()), keys)
    for wrong in (elsewhere, shorter):
        with pytest.raises(InvalidProof):
            verify_proof(wrong, leaf, keys)
    with pytest.raises(InvalidNote):
        verify_proof(proof, leaf, [Verifier(stranger.signer.vkey)])
    with pytest.raises(ValueError, match="No leaf 300"):
        proof_in(log, COUNT)


HASH = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v2\nindex 1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 9999999999999999\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\nAQEB\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\nno base64\n\nnote",
        f"c2sp.org/tlog-proof@v1\nindex 1\r\n{HASH}\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra !\nindex 1\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra AQEB\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\n" + f"{HASH}\n" * 64 + "\nnote",
    ],
)
def test_what_is_no_proof_is_refused(text):
    with pytest.raises(InvalidProof):
        parse_proof(text)
