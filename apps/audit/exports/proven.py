"""The events that match, each with the proof that it is in the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

from apps.audit.evidence import Tell, public_keys
from apps.audit.exports.selection import Selection
from apps.audit.proofs import Prover
from apps.audit.transparency.bundle import ProvenEvent, write_proofs

MAX_EVENTS: Final = 20_000  # two files each; a zip file keeps its list in memory


def write_proven(target: IO[bytes], chosen: Selection, tell: Tell) -> tuple[int, str]:
    """Write a bundle of some events.

    Returns:
        The number of events, and the SHA-256 of the manifest.
    """
    prover, count = Prover(chosen.size), 0

    def events() -> Iterator[ProvenEvent]:
        nonlocal count
        for count, event in enumerate(chosen.read(tell), start=1):  # noqa: B007
            proof = prover.prove(event.leaf_index)
            yield ProvenEvent(str(event.event_id), event.body, proof, event.payload)

    digest = write_proofs(target, prover.checkpoint.note, events(), public_keys())
    return count, digest
