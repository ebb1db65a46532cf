"""What a witness signs: that it saw this state of a log, and when (C2SP cosignature).

A witness vouches for one thing only: that every state it signed continues the one it
signed before. Two of its signatures therefore rule out two different histories.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import time

from apps.audit.transparency import ed25519
from apps.audit.transparency.note import (
    InvalidNote,
    Signer,
    Verifier,
    signature_line,
    split_note,
)

ED25519_COSIGNATURE = b"\x04"
_TIME_BYTES = 8
_TOO_LATE = 2**63


class CosignatureVerifier(Verifier):
    """The public key of a witness."""

    kind = ED25519_COSIGNATURE

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check one cosignature.

        Raises:
            ed25519.InvalidSignature: it is not of this witness over this message.
        """
        at = time_of(signature)
        if not 0 < at < _TOO_LATE:
            raise ed25519.InvalidSignature("The cosignature says no possible time.")
        super().verify(_timed(at, message), signature[_TIME_BYTES:])


class Cosigner(Signer):
    """The private key of a witness.

    Args:
        skey: as `generate` writes it.
        clock: gives the time in whole seconds since 1970.
    """

    kind = ED25519_COSIGNATURE

    def __init__(self, skey: str, clock: Callable[[], float] = time) -> None:
        super().__init__(skey)
        self._clock = clock

    def sign(self, message: bytes) -> bytes:
        """Sign a message together with the present time."""
        at = int(self._clock())
        return at.to_bytes(_TIME_BYTES, "big") + super().sign(_timed(at, message))

    def cosign(self, text: str) -> str:
        """Write the line that goes below the checkpoint with this text."""
        return signature_line(self.name, self.key_id, self.sign(text.encode()))


@dataclass(frozen=True)
class Cosignature:
    """One checked line of a witness.

    Attributes:
        witness: its name.
        at: when it signed, in seconds since 1970, by its own clock.
        line: as it stands below the checkpoint, with its line break.
    """

    witness: str
    at: int
    line: str


def time_of(signature: bytes) -> int:
    """Read when a cosignature was made, in seconds since 1970."""
    return int.from_bytes(signature[:_TIME_BYTES], "big")


def take_cosignatures(
    note: str, answer: str, witnesses: Sequence[CosignatureVerifier]
) -> list[Cosignature]:
    """Check what a witness answered; lines of unknown keys are passed over.

    Args:
        note: the checkpoint that was submitted, with at least one signature.
        answer: one signature line or more.
        witnesses: the keys that the caller trusts.

    Raises:
        InvalidNote: malformed, without a line of these keys, or wrongly signed.
    """
    text, _ = split_note(note)
    _, signatures = split_note(f"{text}\n{answer}")
    known = {(one.name, one.key_id): one for one in witnesses}
    taken = []
    for name, key, signature in signatures:
        if (witness := known.get((name, key))) is None:
            continue
        try:
            witness.verify(text.encode(), signature)
        except ed25519.InvalidSignature as error:
            raise InvalidNote(f"The cosignature of {name} is wrong.") from error
        line = signature_line(name, key, signature)
        taken.append(Cosignature(name, time_of(signature), line))
    if not taken:
        raise InvalidNote("None of the expected witnesses signed.")
    return taken


def _timed(at: int, message: bytes) -> bytes:
    return f"cosignature/v1\ntime {at}\n".encode() + message
