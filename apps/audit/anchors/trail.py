"""The sealed trail of this database, as an anchor asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from apps.audit.models import Checkpoint, Head, Key
from apps.audit.sealer import Sealer
from apps.audit.stored_tree import reader
from apps.audit.transparency import checkpoint
from apps.audit.transparency.note import InvalidNote, Verifier, open_note
from apps.audit.transparency.tiles import hashes_in
from apps.audit.transparency.tree import consistency_proof


@dataclass(frozen=True)
class SealedTrail:
    """What was signed, read anew at each question.

    Attributes:
        sealer: has the present key; earlier ones are in the database.
    """

    sealer: Sealer

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self.sealer.signer.name

    def newest_size(self) -> int:
        """Say how large the newest checkpoint is now; 0 when there is none."""
        sizes = Checkpoint.objects.order_by("-size").values_list("size", flat=True)
        return sizes.first() or 0

    def note(self, size: int) -> str:
        """Give the checkpoint of this size as the log signed it."""
        return Checkpoint.objects.get(size=size).note

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the tree of `new` leaves continues the one of `old`."""
        hashes = hashes_in(reader(Head.objects.get()))
        return tuple(consistency_proof(old, new, hashes))

    def opened(self, note: str) -> checkpoint.Checkpoint:
        """Read a checkpoint that a key of the log signed.

        Raises:
            InvalidNote: none did, or it is of another log.
        """
        known = Key.objects.values_list("vkey", flat=True)
        keys = [
            Verifier(vkey) for vkey in dict.fromkeys([self.sealer.signer.vkey, *known])
        ]
        stated = checkpoint.parse_checkpoint(open_note(note, keys)[0])
        if stated.origin != self.origin:
            raise InvalidNote(f"It is of the log {stated.origin}.")
        return stated
