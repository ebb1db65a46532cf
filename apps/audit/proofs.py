"""Proofs out of the stored tree: that an event is in it, that it continues an older."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from io import BytesIO
from typing import Final
from zipfile import ZipFile

from apps.audit.evidence import (
    checkpoint_at,
    cosigned_note,
    payloads_of,
    public_keys,
)
from apps.audit.models import AuditEvent, Head, Leaf
from apps.audit.stored_tree import reader
from apps.audit.transparency.bundle import Selection, write_selection
from apps.audit.transparency.proof import format_proof, prove_event
from apps.audit.transparency.tiles import (
    TILE_HEIGHT,
    hashes_in,
    tile_width,
)
from apps.audit.transparency.tree import (
    HASH_BYTES,
    consistency_proof,
    inclusion_proof,
)
from apps.core.errors import Invalid, WrongState

REMEMBERED_HASHES: Final = 8192  # each some hundred bytes; neighbours share most


class NotSealed(WrongState):
    """The sealer has not come to it yet."""


class Prover:
    """Proves events against the newest checkpoint, or an older one.

    Args:
        size: of the checkpoint; None for the newest.

    Attributes:
        size: the number of leaves that it can speak of.
        note: the signed checkpoint that every proof leads to.

    Raises:
        NotSealed: there is no checkpoint yet.
    """

    def __init__(self, size: int | None = None) -> None:
        head = Head.objects.first()
        if head is None or not head.size:
            raise NotSealed("Nothing is sealed yet. Start the sealer and try again.")
        checkpoint = checkpoint_at(head.size if size is None else size)
        self.size, self.note = checkpoint.size, cosigned_note(checkpoint)
        self._get_hash = lru_cache(REMEMBERED_HASHES)(hashes_in(reader(head)))

    def prove(self, index: int) -> str:
        """Write the proof that leaf `index` is in the tree (C2SP tlog-proof).

        Raises:
            ValueError: the tree is smaller, or hashes of it are missing.
        """
        return format_proof(prove_event(index, self.note, self._get_hash))


def proven(event: AuditEvent) -> bytes:
    """Write the file that shows alone that this event is in the log.

    Returns:
        A zip file with the event, its proof and how to check them.

    Raises:
        NotSealed: the event waits for the sealer.
    """
    prover, target = Prover(), BytesIO()
    index = _index_of(event, prover.size)
    selection = Selection(
        note=prover.note,
        events=[(str(event.event_id), event.body, prover.prove(index))],
        vkeys=public_keys(),
        payloads=payloads_of([index]) if event.payload else (),
    )
    write_selection(target, selection)
    return target.getvalue()


def write_proven(
    archive: ZipFile, folder: str, event: AuditEvent, prover: Prover
) -> None:
    """Put an event and the proof of it into a zip file, as the verifier reads them.

    Args:
        archive: open for writing.
        folder: where, "" or ending with a slash.
        event: recorded.
        prover: of the checkpoint that the proof leads to.

    Raises:
        NotSealed: the event waits for the sealer.
    """
    archive.writestr(f"{folder}event.json", event.body)
    proof = prover.prove(_index_of(event, prover.size))
    archive.writestr(f"{folder}event.tlog-proof", proof)


def inclusion(*, index: int, size: int) -> list[str]:
    """Prove that leaf `index` is in the tree of `size` leaves, in base64.

    Raises:
        Invalid: no tree that was sealed has this size, or it has no such leaf.
    """
    head = _head_of(size)
    if index >= size:
        raise Invalid(
            f"A tree of {size} events has no leaf {index}.",
            fields={"leaf": "Not below the size."},
        )
    return _text(inclusion_proof(index, size, hashes_in(reader(head))))


def consistency(*, old: int, new: int) -> list[str]:
    """Prove that the tree of `new` leaves continues that of `old` leaves, in base64.

    Raises:
        Invalid: no tree that was sealed has this size, or the old one is larger.
    """
    head = _head_of(new)
    if old > new:
        raise Invalid(
            f"A tree of {new} events cannot continue one of {old}.",
            fields={"old": "Larger than the new size."},
        )
    return _text(consistency_proof(old, new, hashes_in(reader(head))))


def tile_of_hashes(*, level: int, index: int, width: int) -> bytes | None:
    """Read a tile of the sealed tree, as wide as asked; None when it is not so far."""
    head = Head.objects.first()
    if head is None or tile_width(level, index, head.size) < width:
        return None
    return reader(head)(level, index)[: width * HASH_BYTES]


def tile_of_entries(*, index: int, width: int) -> bytes | None:
    """Read the events of a tile, each behind its length; None when it is not so far.

    Source:
        C2SP tlog-tiles, section "Log entries".
    """
    head = Head.objects.first()
    if head is None or tile_width(0, index, head.size) < width:
        return None
    start = index << TILE_HEIGHT
    bodies = AuditEvent.objects.filter(
        leaf__leaf_index__range=(start, start + width - 1)
    ).order_by("leaf__leaf_index")
    entries = [body.encode() for body in bodies.values_list("body", flat=True)]
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def leaf_index_of(event: AuditEvent) -> int:
    """Give the place of an event in the tree.

    Raises:
        NotSealed: it has none yet.
    """
    head = Head.objects.first()
    return _index_of(event, head.size if head else 0)


def _index_of(event: AuditEvent, size: int) -> int:
    leaf = Leaf.objects.filter(event=event, leaf_index__lt=size).first()
    if leaf is None:
        raise NotSealed(
            "This event waits for the sealer, which usually comes within a second. Try "
            "again in a moment."
        )
    return leaf.leaf_index


def _head_of(size: int) -> Head:
    head = Head.objects.first()
    if head is None or size > head.size:
        sealed = head.size if head else 0
        raise Invalid(
            f"Only {sealed} events are sealed, not {size}.",
            fields={"size": "Larger than the sealed tree."},
        )
    return head


def _text(hashes: list[bytes]) -> list[str]:
    return [b64encode(one).decode() for one in hashes]
