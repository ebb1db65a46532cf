"""One digest for the same content, whatever the order of its keys."""

import hashlib
from typing import Any

import rfc8785


def canonical_digest(value: Any) -> str:
    """Digest plain JSON values.

    Args:
        value: dictionaries, lists, texts, finite numbers, booleans and None.

    Returns:
        SHA-256 of the canonical JSON, 64 hexadecimal digits.

    Source:
        RFC 8785, JSON Canonicalization Scheme.
    """
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def canonical_text(value: Any) -> str:
    """Write plain JSON values in their one canonical spelling (RFC 8785)."""
    return rfc8785.dumps(value).decode()
