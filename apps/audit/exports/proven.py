"""The events that match, each with the proof that it is in the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

from apps.audit.evidence import Tell, has_payload, payloads_of, public_keys
from apps.audit.exports.chosen import Chosen
from apps.audit.proofs import Prover
from apps.audit.transparency.bundle import Selection, write_selection

MAX_EVENTS: Final = 20_000  # two files each; a zip file keeps its list in memory


def write_proven(target: IO[bytes], chosen: Chosen, tell: Tell) -> tuple[int, str]:
    """Write a bundle of some events.

    Returns:
        The number of events, and the SHA-256 of the manifest.
    """
    prover, large, count = Prover(chosen.size), list[int](), 0

    def events() -> Iterator[tuple[str, str, str]]:
        nonlocal count
        for count, event in enumerate(chosen.read(tell), start=1):  # noqa: B007
            if has_payload(event.body):
                large.append(event.leaf_index)
            yield str(event.event_id), event.body, prover.prove(event.leaf_index)

    selection = Selection(prover.note, events(), public_keys(), payloads_of(large))
    digest = write_selection(target, selection)
    return count, digest
