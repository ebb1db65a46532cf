import subprocess
from base64 import b64decode, b64encode

import pytest

from apps.audit.transparency import ed25519
from apps.audit.transparency.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
)
from apps.audit.transparency.note import (
    InvalidKey,
    InvalidNote,
    Signer,
    Verifier,
    key_id,
    open_note,
    sign_note,
)

ORIGIN = "portal.example/audit/1"
SPKI_HEAD = bytes.fromhex("302a300506032b6570032100")
# RFC 8032, section 7.1, tests 1 to 3: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]
# The example of Go's package note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
    "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def signer(number=1, name=ORIGIN):
    return Signer(Signer.generate(name, bytes([number]) * 32))


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_signature_is_the_published_one(seed, public, message, signature):
    seed, public = bytes.fromhex(seed), bytes.fromhex(public)
    message, signature = bytes.fromhex(message), bytes.fromhex(signature)

    assert ed25519.public_key(seed) == public
    assert ed25519.sign(seed, message) == signature
    ed25519.verify(public, message, signature)


def test_every_changed_byte_of_a_signature_is_refused():
    seed = bytes(32)
    public, signature = ed25519.public_key(seed), ed25519.sign(seed, b"text")
    for place in range(64):
        changed = bytearray(signature)
        changed[place] ^= 0x40
        with pytest.raises(ed25519.InvalidSignature):
            ed25519.verify(public, b"text", bytes(changed))


@pytest.mark.parametrize(
    "public",
    [
        b"short",
        (2**255 - 19).to_bytes(32, "little"),  # no canonical y
        (2).to_bytes(32, "little"),  # no point of the curve
        (1 | 1 << 255).to_bytes(32, "little"),  # x = 0 has no odd twin
    ],
)
def test_a_malformed_public_key_is_refused(public):
    with pytest.raises(ed25519.InvalidSignature):
        ed25519.verify(public, b"text", bytes(64))


def test_a_second_spelling_of_a_signature_is_refused():
    order = 2**252 + 27742317777372353535851937790883648493
    seed = bytes(32)
    signature = ed25519.sign(seed, b"text")
    other = int.from_bytes(signature[32:], "little") + order
    respelt = signature[:32] + other.to_bytes(32, "little")

    with pytest.raises(ed25519.InvalidSignature):
        ed25519.verify(ed25519.public_key(seed), b"text", respelt)


def test_openssl_accepts_the_signature(tmp_path):
    text = format_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)))
    one = signer()
    note = sign_note(text, [one])
    signed = b64decode(note.splitlines()[-1].split(" ")[2])[4:]
    public = SPKI_HEAD + b64decode(one.vkey.rpartition("+")[2])[1:]
    (tmp_path / "text").write_text(text)
    (tmp_path / "signature").write_bytes(signed)
    (tmp_path / "key.pem").write_text(
        f"-----BEGIN PUBLIC KEY-----\n{b64encode(public).decode()}\n"
        "-----END PUBLIC KEY-----\n"
    )

    command = "openssl pkeyutl -verify -rawin -pubin -inkey key.pem -sigfile signature"
    answer = subprocess.run(
        [*command.split(), "-in", "text"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.stdout == "Signature Verified Successfully\n", answer.stderr


def test_a_note_of_another_program_opens():
    text, names = open_note(GO_NOTE, [Verifier(GO_VKEY)])

    assert text.endswith("your problem is.\n")
    assert names == ["PeterNeumann"]


def test_a_signed_note_opens_with_the_keys_that_are_known():
    one, two, unknown = signer(1), signer(2, "witness"), signer(3, "stranger")
    verifiers = [Verifier(one.vkey), Verifier(two.vkey)]

    note = sign_note("first\n\nsecond\n", [unknown, one, two])

    assert open_note(note, verifiers) == ("first\n\nsecond\n", [ORIGIN, "witness"])


def test_a_key_that_signed_wrongly_spoils_the_note():
    one, two = signer(1), signer(2, "witness")
    first, other = sign_note("text\n", [one]), sign_note("other\n", [two])
    note = first + other.splitlines()[-1] + "\n"

    with pytest.raises(InvalidNote, match="signature of witness is wrong"):
        open_note(note, [Verifier(one.vkey), Verifier(two.vkey)])


def test_a_note_that_nobody_known_signed_is_refused():
    namesake = signer(2)

    with pytest.raises(InvalidNote, match="None of the given keys"):
        open_note(sign_note("text\n", [signer(1)]), [Verifier(namesake.vkey)])


GOOD = sign_note("text\n", [signer()])
LINE = GOOD.splitlines()[-1]


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        GOOD[:-1],
        GOOD.replace("\n\n", "\n"),
        GOOD.replace("text", "text\r"),
        GOOD.replace("—", "-"),
        GOOD.replace(ORIGIN, "two words"),
        GOOD.replace(LINE, f"— {ORIGIN} AAAA"),
        GOOD.replace(LINE, f"— {ORIGIN} A"),
        GOOD + "\n",
        GOOD + f"{LINE}\n" * 100,
        "x" * 1_000_001 + GOOD,
    ],
)
def test_a_malformed_note_is_refused(note):
    with pytest.raises(InvalidNote):
        open_note(note, [Verifier(signer().vkey)])


def test_base64_has_one_spelling():
    verifier = Verifier(signer().vkey)
    place = len(GOOD) - len("X=\n")
    letter = chr(ord(GOOD[place]) + 1)

    with pytest.raises(InvalidNote, match="canonical"):
        open_note(GOOD[:place] + letter + GOOD[place + 1 :], [verifier])


@pytest.mark.parametrize("text", ["no line break", "tab\t\n"])
def test_text_that_cannot_be_a_note_is_not_signed(text):
    with pytest.raises(InvalidNote):
        sign_note(text, [signer()])


def test_keys_are_read_back():
    one = signer()

    assert Verifier(one.vkey).key_id == one.key_id
    assert one.vkey.startswith(f"{ORIGIN}+{one.key_id.hex()}+")


def with_type(kind, key):
    encoded = b64encode(kind + key).decode()
    return f"name+{key_id('name', key).hex()}+{encoded}"


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name+00000000",
        "name+00000000+!",
        "name+00000000+A",
        signer().vkey.replace(ORIGIN, "other"),
        with_type(b"\x02", bytes(32)),
        with_type(b"\x01", bytes(31)),
    ],
)
def test_what_is_no_key_is_refused(vkey):
    with pytest.raises(InvalidKey):
        Verifier(vkey)
    with pytest.raises(InvalidKey):
        Signer(f"PRIVATE+KEY+{vkey}")


def test_a_private_key_says_that_it_is_one():
    with pytest.raises(InvalidKey, match="begins with"):
        Signer(signer().vkey)
    with pytest.raises(InvalidKey, match="No name"):
        Signer.generate("two words", bytes(32))


def test_checkpoint_is_read_back():
    one = Checkpoint(ORIGIN, 2000, bytes(range(32)), ("extension",))

    text = format_checkpoint(one)

    assert text.splitlines()[:2] == [ORIGIN, "2000"]
    assert parse_checkpoint(text) == one


ROOT = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n1\n",
        f"origin\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n１\n{ROOT}\n",
        f"origin\n9999999999999999\n{ROOT}\n",
        f"origin\n1\n{ROOT[:-4]}\n",
        f"origin\n1\n{ROOT[:-2]}B=\n",
        f"origin\n1\n{ROOT}\n\n",
        "origin\n1\nno base\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text):
    with pytest.raises(InvalidNote):
        parse_checkpoint(text)
