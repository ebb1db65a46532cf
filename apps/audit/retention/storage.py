"""Archives of segments in the portal's file store: written, and read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Final

from django.db.models import Max, Min

from apps.audit.models import AuditEvent, Checkpoint, Head, Key
from apps.audit.retention.models import Segment
from apps.audit.stored_tree import reader
from apps.audit.transparency.archive import (
    Archive,
    DamagedArchive,
    verify_archive,
    write_archive,
)
from apps.audit.transparency.note import InvalidNote, Verifier, open_note
from apps.audit.transparency.pruning import segment_proof, segment_root
from apps.audit.transparency.tiles import hashes_in
from apps.core import blobs
from apps.core.errors import WrongState

CHUNK: Final = 2000


def store_segment(span: range) -> Segment:
    """Write the archive of a segment, read it again, and describe it.

    Returns:
        The segment, not yet saved.

    Raises:
        WrongState: the events are not what the tree has.
    """
    head = Head.objects.get()
    get_hash = hashes_in(reader(head))
    newest = Checkpoint.objects.filter(size__lte=head.size).latest("size")
    root = segment_root(span, get_hash)
    with TemporaryFile() as file:
        write_archive(
            file,
            Archive(
                span=span,
                bodies=_texts(span, "body"),
                payloads=(text for text in _texts(span, "payload") if text),
                read_tile=reader(head),
                root=root,
                note=newest.note,
                proof=segment_proof(span, newest.size, get_hash),
                vkeys=list(Key.objects.values_list("vkey", flat=True)),
            ),
        )
        blob = blobs.store(file)
    require_intact(blob.sha256, span=span, root=root)
    return _described(span, root, blob)


def require_intact(sha256: str, *, span: range, root: bytes) -> None:
    """Read an archive from the store and verify it, signature included.

    Raises:
        WrongState: it is missing or damaged.
    """
    vkeys = Key.objects.values_list("vkey", flat=True)
    try:
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "archive.zip"
            blobs.copy_to(sha256, copy)
            with copy.open("rb") as file:
                note = verify_archive(file, span=span, root=root)
        open_note(note, [Verifier(vkey) for vkey in vkeys])
    except (blobs.BlobDamaged, DamagedArchive, OSError, InvalidNote) as error:
        raise WrongState(
            f"The archive {sha256[:12]}… does not prove what it should: {error}"
        ) from error


def _texts(span: range, column: str) -> Iterator[str]:
    """Give a column of the events of a segment in the order of the tree."""
    for start in range(span.start, span.stop, CHUNK):
        end = min(start + CHUNK, span.stop) - 1
        events = AuditEvent.objects.filter(leaf__leaf_index__range=(start, end))
        yield from events.order_by("leaf__leaf_index").values_list(column, flat=True)


def _described(span: range, root: bytes, blob: blobs.Blob) -> Segment:
    events = AuditEvent.objects.filter(
        leaf__leaf_index__range=(span.start, span.stop - 1)
    )
    ids = events.order_by("event_id").values_list("event_id", flat=True)
    times = events.aggregate(first=Min("at"), last=Max("at"))
    return Segment(
        number=span.start // len(span),
        first_leaf=span.start,
        last_leaf=span.stop - 1,
        root=root,
        first_event=ids[0],
        last_event=ids.reverse()[0],
        first_at=times["first"],
        last_at=times["last"],
        archive_sha256=blob.sha256,
        archive_bytes=blob.size_bytes,
    )
