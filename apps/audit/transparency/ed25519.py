"""Signatures with Ed25519 (RFC 8032), made and checked by OpenSSL.

A thin face over the library `cryptography`: what is signed here stays bytes, and an
unusable key and a wrong signature are one error.
"""

from __future__ import annotations

from cryptography import exceptions
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

KEY_BYTES = 32
SIGNATURE_BYTES = 64

_PRIME = 2**255 - 19
_MIRROR_BIT = 1 << 255


class InvalidSignature(ValueError):
    """The signature is not one of this key over this message."""


def public_key(seed: bytes) -> bytes:
    """Compute the public key of a private one (32 random bytes)."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """Sign with a private key; the same message always gets the same signature."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature.

    Raises:
        InvalidSignature: key, signature or message do not fit together.
    """
    if len(public) != KEY_BYTES or _is_second_spelling(public):
        raise InvalidSignature("The key is malformed.")
    if len(signature) != SIGNATURE_BYTES:
        raise InvalidSignature("The signature is malformed.")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (exceptions.InvalidSignature, ValueError) as error:
        raise InvalidSignature("The signature does not fit key and message.") from error


def _is_second_spelling(public: bytes) -> bool:
    """Say whether the same point has another, canonical spelling.

    OpenSSL accepts these; the verifier that auditors run does not.
    """
    y = int.from_bytes(public, "little") & (_MIRROR_BIT - 1)
    is_mirrored = bool(public[-1] >> 7)
    return y >= _PRIME or (is_mirrored and y in {1, _PRIME - 1})
