from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from apps.audit.transparency.checkpoint import Checkpoint, format_checkpoint
from apps.audit.transparency.cosignature import (
    CosignatureVerifier,
    Cosigner,
    take_cosignatures,
    time_of,
)
from apps.audit.transparency.note import (
    InvalidKey,
    InvalidNote,
    Signer,
    Verifier,
    open_note,
    sign_note,
)

NOON = 1_780_000_000
# A key of a public witness, and a cosignature of another one made at a known time.
PUBLISHED_VKEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
PUBLISHED_COSIGNATURE = (
    "ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gx"
    "EHWWOworDcFiEBYJXORmnFBOBA=="
)
PUBLISHED_TIME = 1727964367

LOG = Signer(Signer.generate("log.example/1", bytes(32)))
TEXT = format_checkpoint(Checkpoint("log.example/1", 3, bytes(32)))
NOTE = sign_note(TEXT, [LOG])


def witness(number=1, name="witness.example/w1", at=NOON):
    return Cosigner(Cosigner.generate(name, bytes([number]) * 32), clock=lambda: at)


def test_the_key_of_a_public_witness_is_read():
    verifier = CosignatureVerifier(PUBLISHED_VKEY)

    assert verifier.name == "remora.n621.de"
    assert verifier.key_id.hex() == "da77ade7"


def test_the_time_of_a_published_cosignature_is_read():
    assert time_of(b64decode(PUBLISHED_COSIGNATURE)[4:]) == PUBLISHED_TIME


def test_a_cosignature_is_over_the_time_and_the_whole_text():
    one = witness()
    public = Ed25519PublicKey.from_public_bytes(
        b64decode(one.vkey.rpartition("+")[2])[1:]
    )

    signed = b64decode(one.cosign(TEXT).split(" ")[2])

    assert signed[:4] == one.key_id
    assert int.from_bytes(signed[4:12], "big") == NOON
    public.verify(signed[12:], f"cosignature/v1\ntime {NOON}\n{TEXT}".encode())


def test_log_and_witness_sign_one_note():
    one = witness()
    note = NOTE + one.cosign(TEXT)

    opened = open_note(note, [Verifier(LOG.vkey), CosignatureVerifier(one.vkey)])

    assert opened == (TEXT, ["log.example/1", "witness.example/w1"])


def test_take_cosignatures_passes_over_unknown_witnesses():
    known, stranger = witness(1), witness(2, "stranger.example")
    answer = stranger.cosign(TEXT) + known.cosign(TEXT)

    [taken] = take_cosignatures(NOTE, answer, [CosignatureVerifier(known.vkey)])

    assert (taken.witness, taken.at) == ("witness.example/w1", NOON)
    assert taken.line == known.cosign(TEXT)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (witness(1).cosign(TEXT.replace("3", "4")), "is wrong"),
        (witness(1, at=0).cosign(TEXT), "is wrong"),
        (witness(2).cosign(TEXT), "None of the expected witnesses"),
        (witness(1).cosign(TEXT)[:-1], "no signed note"),
        ("", "signatures"),
        ("— witness.example/w1 AAAA\n", "No line of a signature"),
        ("409\n", "No line of a signature"),
    ],
)
def test_take_cosignatures_refuses_what_proves_nothing(answer, sentence):
    verifier = CosignatureVerifier(witness(1).vkey)

    with pytest.raises(InvalidNote, match=sentence):
        take_cosignatures(NOTE, answer, [verifier])


def test_a_key_is_of_one_kind():
    with pytest.raises(InvalidKey, match="type 04"):
        CosignatureVerifier(LOG.vkey)
    with pytest.raises(InvalidKey, match="type 01"):
        Verifier(witness().vkey)
