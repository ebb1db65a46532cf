"""Text with signatures below it (C2SP signed-note, Ed25519)."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

from apps.audit.transparency import ed25519

ED25519_NOTE = b"\x01"
KEY_ID_BYTES = 4
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100

_PRIVATE = "PRIVATE+KEY+"
_NAME = re.compile(r"[^\s+]{1,255}")
_KEY = re.compile(r"([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,100})")
_SIGNATURE = re.compile(r"— ([^\s+]{1,255}) ([A-Za-z0-9+/=]{1,10000})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class InvalidKey(ValueError):
    """The text is no key for signed notes."""


class InvalidNote(ValueError):
    """The text is no signed note, or a known key did not sign it as it says."""


class Verifier:
    """A public key under the name of its owner, written `name+id+key`.

    Raises:
        InvalidKey: the text is no such key.
    """

    kind = ED25519_NOTE

    def __init__(self, vkey: str) -> None:
        self.name, self.key_id, self._public = _parse_key(vkey, self.kind)
        if key_id(self.name, self._public, self.kind) != self.key_id:
            raise InvalidKey(f"The key of {self.name} does not fit its id.")

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check one signature.

        Raises:
            ed25519.InvalidSignature: it is not of this key over this message.
        """
        ed25519.verify(self._public, message, signature)


class Signer:
    """A private key under the name of its owner, as `generate` writes it.

    Attributes:
        vkey: the public key, as `Verifier` reads it; fit to be printed and published.

    Raises:
        InvalidKey: the text is no such key.
    """

    kind = ED25519_NOTE

    def __init__(self, skey: str) -> None:
        if not skey.startswith(_PRIVATE):
            raise InvalidKey(f"A private key begins with {_PRIVATE}.")
        text = skey.removeprefix(_PRIVATE)
        self.name, self.key_id, self._seed = _parse_key(text, self.kind)
        public = ed25519.public_key(self._seed)
        if key_id(self.name, public, self.kind) != self.key_id:
            raise InvalidKey(f"The key of {self.name} does not fit its id.")
        self.vkey = _format_key(self.name, self.key_id, self.kind + public)

    @classmethod
    def generate(cls, name: str, seed: bytes) -> str:
        """Write the private key that 32 random bytes give; keep it secret.

        Raises:
            InvalidKey: the name is empty, too long, or holds a space or a plus sign.
        """
        if not _NAME.fullmatch(name):
            raise InvalidKey(f"No name for a key: {name!r}.")
        identifier = key_id(name, ed25519.public_key(seed), cls.kind)
        return _PRIVATE + _format_key(name, identifier, cls.kind + seed)

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        return ed25519.sign(self._seed, message)


def key_id(name: str, public: bytes, kind: bytes = ED25519_NOTE) -> bytes:
    """Compute the four bytes that point from a signature to its key."""
    return sha256(name.encode() + b"\n" + kind + public).digest()[:KEY_ID_BYTES]


def sign_note(text: str, signers: Sequence[Signer]) -> str:
    """Put the signatures below the text, which ends with a line break."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise InvalidNote(
            "The text has control characters or no line break at its end."
        )
    lines = [
        signature_line(one.name, one.key_id, one.sign(text.encode())) for one in signers
    ]
    return f"{text}\n{''.join(lines)}"


def signature_line(name: str, identifier: bytes, signature: bytes) -> str:
    """Write one signature as it stands below a note."""
    return f"— {name} {b64encode(identifier + signature).decode()}\n"


def open_note(note: str, verifiers: Sequence[Verifier]) -> tuple[str, list[str]]:
    """Check a note against the keys that the caller trusts.

    Signatures of other keys are passed over, as the specification asks.

    Returns:
        The signed text and the names of those who signed it.

    Raises:
        InvalidNote: malformed, signed by none of the keys, or wrongly by one of them.
    """
    text, signatures = split_note(note)
    known = {(one.name, one.key_id): one for one in verifiers}
    names = []
    for name, key, signature in signatures:
        verifier = known.pop((name, key), None)
        if verifier is None:
            continue
        try:
            verifier.verify(text.encode(), signature)
        except ed25519.InvalidSignature as error:
            raise InvalidNote(f"The signature of {name} is wrong.") from error
        names.append(name)
    if not names:
        raise InvalidNote("None of the given keys signed the note.")
    return text, names


def decode_base64(encoded: str) -> bytes:
    """Decode standard base64 in its one canonical spelling.

    Raises:
        InvalidNote: any other spelling.
    """
    try:
        decoded = b64decode(encoded.encode(), validate=True)
    except binascii.Error as error:
        raise InvalidNote(f"No base64: {encoded[:60]!r}.") from error
    if b64encode(decoded) != encoded.encode():
        raise InvalidNote(f"No canonical base64: {encoded[:60]!r}.")
    return decoded


def split_note(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Part a note into its text and its signatures, without checking them.

    Returns:
        The text, and of each signature the name, the id of the key, the bytes.

    Raises:
        InvalidNote: malformed.
    """
    text, gap, below = note.rpartition("\n\n")
    lines = below.split("\n")
    if not gap or len(note) > MAX_NOTE_BYTES or _CONTROL.search(note) or lines.pop():
        raise InvalidNote("This is no signed note.")
    if not 0 < len(lines) <= MAX_SIGNATURES:
        raise InvalidNote(f"A note has 1 to {MAX_SIGNATURES} signatures.")
    signatures = []
    for line in lines:
        found = _SIGNATURE.fullmatch(line)
        decoded = decode_base64(found[2]) if found else b""
        if not found or len(decoded) <= KEY_ID_BYTES:
            raise InvalidNote(f"No line of a signature: {line[:60]!r}.")
        signatures.append((found[1], decoded[:KEY_ID_BYTES], decoded[KEY_ID_BYTES:]))
    return text + "\n", signatures


def _parse_key(text: str, kind: bytes) -> tuple[str, bytes, bytes]:
    """Part a key of this kind into name, id and key."""
    found = _KEY.fullmatch(text)
    if not found:
        raise InvalidKey("This is no key for signed notes.")
    try:
        decoded = decode_base64(found[3])
    except InvalidNote as error:
        raise InvalidKey(f"The key of {found[1]} is no base64.") from error
    if decoded[:1] != kind or len(decoded) != 1 + ed25519.KEY_BYTES:
        raise InvalidKey(
            f"The key of {found[1]} is no Ed25519 key of the type {kind.hex()}."
        )
    return found[1], bytes.fromhex(found[2]), decoded[1:]


def _format_key(name: str, identifier: bytes, key: bytes) -> str:
    return f"{name}+{identifier.hex()}+{b64encode(key).decode()}"
