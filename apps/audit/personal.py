"""Personal text behind salted commitments, so that it can be erased and proofs stay.

An event names a person by the id of the account and by a commitment: the hash of a
salted text. The text lies in a row of its own. Without that row the commitment tells
nothing, and the event, its hash and the tree are what they were.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

COMMITMENT: Final = "commitment"
SALT_BYTES: Final = 16
UNKNOWN: Final = UUID(int=0)  # stands for whoever a text is about
ERASED: Final = "erased"


@dataclass(frozen=True)
class Personal:
    """A text about a person: a name, an address.

    Args:
        subject_id: whom it is about; erasing a person erases these.
        value: the text.
    """

    subject_id: UUID
    value: str


def base64url(raw: bytes) -> str:
    """Write bytes as base64url without padding."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def disclosure_of(salt: str, value: str) -> str:
    """Write what proves that a commitment stands for this text.

    Source:
        RFC 9901 (SD-JWT), the form of a disclosure for an element of an array.
    """
    return base64url(json.dumps([salt, value], ensure_ascii=False).encode())


def commitment_of(disclosure: str) -> str:
    """Hash a disclosure: 43 characters of base64url."""
    return base64url(sha256(disclosure.encode("ascii")).digest())


def personal_in(value: Any) -> set[Personal]:
    """Find the personal texts in the values of an event."""
    match value:
        case Personal():
            return {value}
        case dict():
            return set().union(*(personal_in(inner) for inner in value.values()))
        case list() | tuple():
            return set().union(*(personal_in(inner) for inner in value))
    return set()


def commitments_in(value: Any) -> set[str]:
    """Find the commitments in a body."""
    match value:
        case {"commitment": str(found), **rest} if not rest:
            return {found}
        case dict():
            return set().union(*(commitments_in(inner) for inner in value.values()))
        case list():
            return set().union(*(commitments_in(inner) for inner in value))
    return set()


def revealed(value: Any, texts: dict[str, str]) -> Any:
    """Put the known texts where their commitments stand; unknown ones were erased."""
    match value:
        case {"commitment": str(found), **rest} if not rest:
            return texts.get(found, ERASED)
        case dict():
            return {name: revealed(inner, texts) for name, inner in value.items()}
        case list():
            return [revealed(inner, texts) for inner in value]
    return value
