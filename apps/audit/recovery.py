"""The way on when sealed events are lost for good: another log that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Checkpoint, Head
from apps.audit.sealer import HEAD_ID, signed
from apps.audit.signing import CannotSeal, SealerFiles, opened
from apps.audit.stored_tree import root_of
from apps.audit.transparency.note import InvalidNote


@dataclass(frozen=True)
class Loss:
    """What was published, what the database still holds, and who goes on.

    Attributes:
        published: the note that went out last.
        published_size: number of events that it covers.
        kept: the last checkpoint in the database; its events are all there.
        origin: the names of the old and of the new log.
        vkey: the key of the new log.
    """

    published: str
    published_size: int
    kept: Checkpoint
    origin: tuple[str, str]
    vkey: str

    def facts(self) -> dict[str, Any]:
        """Say in the event what was lost, in signed words of the old log."""
        return {
            "origin": list(self.origin),
            "size": [self.published_size, self.kept.size],
            "lost_checkpoint": self.published,
            "last_good_checkpoint": self.kept.note,
            "vkey": self.vkey,
        }


def loss_of(files: SealerFiles) -> Loss:
    """Compare the database with what was published.

    Raises:
        CannotSeal: nothing was published, or the tree is not what was signed.
    """
    published, signer = files.published(), files.signer()
    if published is None:
        raise CannotSeal("Nothing was published, so nothing shows what was lost.")
    successor = files.make_successor()
    return Loss(
        published=files.published_file.read_text(),
        published_size=published.size,
        kept=_last_good(files),
        origin=(signer.name, successor.name),
        vkey=successor.vkey,
    )


def is_declared(files: SealerFiles) -> bool:
    """Say whether a step to the next log was recorded but did not end."""
    if not files.has_successor():
        return False
    vkey = files.make_successor().vkey
    gaps = AuditEvent.objects.filter(type=EventType.AUDIT_HISTORY_GAP)
    return any(event.changes["vkey"] == vkey for event in gaps)


def begin_next_log(files: SealerFiles) -> str:
    """Go on as another log, which begins with the events that are left.

    Returns:
        The public key of the new log.
    """
    successor, kept = files.make_successor(), _last_good(files)
    files.take_successor(signed(kept.size, bytes(kept.root), [successor]))
    return successor.vkey


def _last_good(files: SealerFiles) -> Checkpoint:
    head = Head.objects.filter(pk=HEAD_ID).first() or Head()
    root = root_of(head, head.size)
    if not head.size:
        return Checkpoint(size=0, root=root, note="")
    newest = Checkpoint.objects.filter(size=head.size).first()
    try:
        stated = opened(newest.note if newest else "", files.vkeys())
    except InvalidNote as error:
        raise CannotSeal(
            f"The checkpoint of {head.size} in the database is not signed by this "
            f"key: restore another backup. {error}"
        ) from error
    if newest is None or (stated.size, stated.root) != (head.size, root):
        raise CannotSeal(
            f"The tree in the database is not what was signed at size {head.size}: "
            "restore another backup."
        )
    return newest
