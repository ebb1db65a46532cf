"""What the anchors hold keeps the sealer from signing another history."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from apps.audit.signing import CannotSeal
from apps.audit.transparency.checkpoint import Checkpoint
from apps.audit.transparency.tree import GetHash, root_at


@dataclass(frozen=True)
class Guard:
    """The newest that each anchor was seen to hold, shared between threads.

    Asking an anchor takes time, so the sealer only compares with what the anchors'
    own threads saw: all of them at the start, each one whenever it is published to.
    """

    held: dict[str, Checkpoint] = field(default_factory=dict)
    contradictions: dict[str, tuple[str, str]] = field(default_factory=dict)
    _proven: dict[str, Checkpoint] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def saw(self, address: str, checkpoint: Checkpoint) -> None:
        """Note what an anchor holds."""
        with self._lock:
            self.contradictions.pop(address, None)
            self.held[address] = checkpoint

    def saw_contradiction(self, address: str, origin: str, sentence: str) -> None:
        """Note that an anchor contradicts the database in the log of this name."""
        with self._lock:
            self.contradictions[address] = origin, sentence

    def seen(self) -> tuple[object, ...]:
        """Give all that was seen, to be compared with what is seen later."""
        with self._lock:
            return *self.held.items(), *self.contradictions.items()

    def require_prefix(self, origin: str, size: int, get_hash: GetHash) -> None:
        """See that a tree of `size` leaves continues all that the anchors hold.

        What they hold of another log counts nothing: it ended with a declared loss.

        Raises:
            CannotSeal: it does not.
        """
        with self._lock:
            contradictions, held = [*self.contradictions.items()], dict(self.held)
        for address, (name, sentence) in contradictions:
            if name == origin:
                raise CannotSeal(f"Database behind anchor {address}: {sentence}")
        for address, checkpoint in held.items():
            if checkpoint.origin != origin:
                continue
            if checkpoint.size > size:
                raise CannotSeal(
                    f"Database behind anchor {address}: a checkpoint of "
                    f"{checkpoint.size} events lies there, the database holds {size}. "
                    "Events were removed, or an old backup was restored."
                )
            if self._proven.get(address) != checkpoint:
                _require_root(address, checkpoint, get_hash)
                self._proven[address] = checkpoint


def _require_root(address: str, checkpoint: Checkpoint, get_hash: GetHash) -> None:
    if root_at(checkpoint.size, get_hash) != checkpoint.root:
        raise CannotSeal(
            f"The tree in the database is not the one of the checkpoint of "
            f"{checkpoint.size} events at anchor {address}: it was rewritten."
        )
