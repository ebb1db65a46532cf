"""The sealed trail as an auditor takes it away: events, tree and signatures.

It is written as the database holds it. Whether that is what was signed, the verifier
says, not the portal: so what is missing is left blank, and never keeps an export back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

from django.db import connection

from apps.audit.anchors import received
from apps.audit.models import Checkpoint, Head, Key
from apps.audit.retention.queries import pruned_segments
from apps.audit.stored_tree import reader
from apps.audit.transparency.bundle import Contents, write_bundle
from apps.audit.transparency.pruning import kept_ranges
from apps.audit.transparency.tiles import TILE_BYTES

CHUNK: Final = 2000
MAX_EARLIER: Final = 5000  # checkpoints, the last one of each day
MISSING_BODY: Final = "{}"

_BODIES: Final = """
SELECT coalesce(event.body, %(missing)s)
FROM generate_series(%(start)s, %(end)s) AS place
LEFT JOIN audit_leaf AS leaf ON leaf.leaf_index = place
LEFT JOIN audit_auditevent AS event ON event.id = leaf.event_pk
ORDER BY place
"""


def write_evidence(target: IO[bytes]) -> tuple[str, int]:
    """Write the bundle up to the newest checkpoint.

    Returns:
        The SHA-256 of its manifest, which stands for the whole, and the number of
        events in it. Segments that were pruned are named in `pruned.json`.
    """
    head = Head.objects.get()
    newest = Checkpoint.objects.filter(size__lte=head.size).latest("size")
    origin = newest.note.partition("\n")[0]
    stored, stamped = reader(head), received.tokens(newest.size, origin)
    pruned = pruned_segments()
    kept = list(kept_ranges(newest.size, pruned))
    contents = Contents(
        note=received.cosigned({newest.size: newest.note}, origin)[newest.size],
        bodies=(body for span in kept for body in _bodies(span)),
        read_tile=lambda level, index: stored(level, index).ljust(TILE_BYTES, b"\0"),
        earlier=_earlier(newest.size, origin, set(stamped)),
        stamps=sorted(stamped.items()),
        tsa_certificate=received.authority_certificates(),
        vkeys=list(Key.objects.order_by("created_at").values_list("vkey", flat=True)),
        pruned=pruned,
    )
    return write_bundle(target, contents), sum(map(len, kept))


def _bodies(span: range) -> Iterator[str]:
    for start in range(span.start, span.stop, CHUNK):
        end = min(start + CHUNK, span.stop) - 1
        with connection.cursor() as cursor:
            cursor.execute(
                _BODIES, {"missing": MISSING_BODY, "start": start, "end": end}
            )
            rows = cursor.fetchall()
        yield from (body for (body,) in rows)


def _earlier(size: int, origin: str, stamped: set[int]) -> list[str]:
    """List the last checkpoint of each day, so that old copies have their like.

    Those that an anchor spoke of are there as well, with what witnesses wrote below;
    those of a log that ended with a loss are in the event that says so.
    """
    spoken_of = {*stamped, received.cosigned_size(size, origin)}
    before = Checkpoint.objects.filter(size__lt=size, note__startswith=f"{origin}\n")
    days = before.order_by("-created_at__date", "-size").distinct("created_at__date")
    notes = dict(days.values_list("size", "note")[:MAX_EARLIER])
    notes |= dict(before.filter(size__in=spoken_of).values_list("size", "note"))
    return [note for _, note in sorted(received.cosigned(notes, origin).items())]
