"""What all anchors have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from apps.audit.transparency.checkpoint import Checkpoint
from apps.audit.transparency.cosignature import Cosignature

MINUTE = 60
DAY = 24 * 60 * MINUTE


class Unpublished(Exception):
    """The anchor did not take the checkpoint; the message says why."""


class Waits(Unpublished):
    """Nothing is wrong, but a person has to do something first."""


class Contradicts(Exception):
    """The anchor holds what the database does not continue; the message says what."""


class Log(Protocol):
    """What an anchor may ask of the sealed trail."""

    @property
    def origin(self) -> str:
        """The name of the log."""

    def newest_size(self) -> int:
        """Say how large the newest checkpoint is now; 0 when there is none."""

    def note(self, size: int) -> str:
        """Give the checkpoint of this size as the log signed it."""

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the tree of `new` leaves continues the one of `old`."""

    def opened(self, note: str) -> Checkpoint:
        """Read a checkpoint that a key of the log signed.

        Raises:
            InvalidNote: none did.
        """


@dataclass(frozen=True)
class Statement:
    """What is to be published.

    Attributes:
        size: of the checkpoint.
        note: the checkpoint as the log signed it.
        last: size of the checkpoint that this anchor took before; 0 for none.
    """

    size: int
    note: str
    last: int


@dataclass(frozen=True)
class Receipt:
    """What an anchor gave back.

    Attributes:
        size: of the checkpoint that it took.
        cosignatures: of a witness.
        token: a time-stamp answer (RFC 3161).
    """

    size: int
    cosignatures: tuple[Cosignature, ...] = ()
    token: bytes = b""


@dataclass(frozen=True)
class Anchor:
    """A place outside.

    Attributes:
        address: names it in tables and on pages; holds no secret.
        every: seconds between two checkpoints while there is something new.
        late: seconds after which a checkpoint that was not taken is an alarm.
    """

    kind: ClassVar[str] = "Anchor"
    usual_pace: ClassVar[int] = MINUTE
    usual_patience: ClassVar[int] = 15 * MINUTE
    is_carried: ClassVar[bool] = False

    address: str
    every: int
    late: int

    def publish(self, statement: Statement, log: Log) -> Receipt:
        """Hand over a checkpoint, within some seconds.

        Raises:
            Unpublished: it was not taken.
            Contradicts: the anchor holds what the database does not continue.
        """
        raise NotImplementedError

    def look(self, log: Log) -> Checkpoint | None:
        """Read the newest checkpoint that lies there; None when it cannot be read.

        Raises:
            Unpublished: the anchor does not answer.
            Contradicts: the anchor holds what the database does not continue.
        """
        return None
