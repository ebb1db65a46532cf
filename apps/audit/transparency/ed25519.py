"""Signatures with Ed25519 (RFC 8032), in integers of Python.

A signature takes some milliseconds here and its time depends on the key, so this is for
a sealer that signs once a second, not for a service that signs on a stranger's demand.
"""

from __future__ import annotations

from hashlib import sha512

KEY_BYTES = 32
SIGNATURE_BYTES = 64

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]
"""Extended coordinates: x·z, y·z, z and x·y·z."""

_NEUTRAL: _Point = (0, 1, 1, 0)


class InvalidSignature(ValueError):
    """The signature is not one of this key over this message."""


def public_key(seed: bytes) -> bytes:
    """Compute the public key of a private one (32 random bytes)."""
    return _encode(_times(_scalar(sha512(seed).digest()), _BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """Sign with a private key; the same message always gets the same signature."""
    digest = sha512(seed).digest()
    secret, public = _scalar(digest), public_key(seed)
    once = _number(digest[KEY_BYTES:], message)
    commitment = _encode(_times(once, _BASE))
    proof = (once + _number(commitment, public, message) * secret) % _ORDER
    return commitment + proof.to_bytes(KEY_BYTES, "little")


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature, as strictly as OpenSSL and Go do.

    Raises:
        InvalidSignature: key, signature or message do not fit together.
    """
    commitment, proof = signature[:KEY_BYTES], signature[KEY_BYTES:]
    scalar = int.from_bytes(proof, "little")
    if len(signature) != SIGNATURE_BYTES or scalar >= _ORDER:
        raise InvalidSignature("The signature is malformed.")
    x, y, z, t = _decode(public)
    negated = (_P - x, y, z, _P - t)
    challenge = _number(commitment, public, message)
    expected = _add(_times(scalar, _BASE), _times(challenge, negated))
    if _encode(expected) != commitment:
        raise InvalidSignature("The signature does not fit key and message.")


def _scalar(digest: bytes) -> int:
    """Shape the first half of a hash into a secret number (RFC 8032, 5.1.5)."""
    number = int.from_bytes(digest[:KEY_BYTES], "little")
    return number & (2**254 - 8) | 2**254


def _number(*parts: bytes) -> int:
    return int.from_bytes(sha512(b"".join(parts)).digest(), "little") % _ORDER


def _add(one: _Point, other: _Point) -> _Point:
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: _Point) -> _Point:
    total = _NEUTRAL
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point, scalar = _add(point, point), scalar >> 1
    return total


def _encode(point: _Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, _P)
    sign_bit = (x * inverse % _P & 1) << 255
    return (y * inverse % _P | sign_bit).to_bytes(KEY_BYTES, "little")


def _decode(encoded: bytes) -> _Point:
    number = int.from_bytes(encoded, "little")
    y, odd = number & (2**255 - 1), number >> 255
    if len(encoded) != KEY_BYTES or y >= _P:
        raise InvalidSignature("The key is malformed.")
    x = _x_of(y)
    if x == 0 and odd:
        raise InvalidSignature("The key is malformed.")
    if x & 1 != odd:
        x = _P - x
    return x, y, 1, x * y % _P


def _x_of(y: int) -> int:
    """Find a coordinate x of the curve for this y (RFC 8032, 5.1.3)."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if x * x % _P != square:
        raise InvalidSignature("The key is no point of the curve.")
    return x


_BASE = _decode((4 * pow(5, -1, _P) % _P).to_bytes(KEY_BYTES, "little"))
