"""The verification keys as they are put on paper: text, QR code, fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

import segno

from apps.audit.models import Key

GROUP: Final = 4


@dataclass(frozen=True)
class PrintedKey:
    """One public key of the sealer.

    Attributes:
        vkey: as the verifier takes it.
        name: of the log that it signs.
        fingerprint: SHA-256 of the text of the key, in groups of four digits.
        picture: the text of the key as a QR code, to be used as address of an image.
        from_size: number of events in the first tree that it signed.
        first_at: when it signed that.
    """

    vkey: str
    name: str
    fingerprint: list[str]
    picture: str
    from_size: int
    first_at: datetime


def printed_keys() -> list[PrintedKey]:
    """List the keys, the newest first."""
    return [
        PrintedKey(
            vkey=key.vkey,
            name=key.vkey.partition("+")[0],
            fingerprint=fingerprint_of(key.vkey),
            picture=segno.make_qr(key.vkey, error="m").svg_data_uri(border=4),
            from_size=key.from_size,
            first_at=key.created_at,
        )
        for key in Key.objects.order_by("-created_at")
    ]


def fingerprint_of(vkey: str) -> list[str]:
    """Hash the text of a key into what two people can compare aloud."""
    digits = sha256(vkey.encode()).hexdigest()
    return [digits[start : start + GROUP] for start in range(0, len(digits), GROUP)]
