"""The sealed trail as an auditor takes it away: events, tree and signatures.

It is written as the database holds it. Whether that is what was signed, the verifier
says, not the portal: so what is missing is left blank, and never keeps an export back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, Final, TypeVar

from django.db import connection
from psycopg import Cursor

from apps.audit.anchors import received
from apps.audit.models import AuditEvent, Checkpoint, Disclosure, Head, Key, Tile
from apps.audit.personal import disclosure_of
from apps.audit.retention.queries import pruned_segments
from apps.audit.stored_tree import reader
from apps.audit.transparency.bundle import Contents, write_bundle
from apps.audit.transparency.pruning import kept_ranges
from apps.audit.transparency.tiles import TILE_BYTES, Coordinates, ReadTile

CHUNK: Final = 1000
MAX_EARLIER: Final = 5000  # checkpoints, the last one of each day
MISSING_BODY: Final = "{}"
TILES_AHEAD: Final = 256
PAYLOADS_AT_ONCE: Final = 20  # each may have some megabytes

T = TypeVar("T")
Tell = Callable[[int], None]
"""Is told how many events are written; may raise what ends the export."""

_BODIES: Final = """
SELECT coalesce(event.body, %(missing)s)
FROM generate_series(%(start)s::bigint, %(end)s::bigint) AS place
LEFT JOIN audit_leaf AS leaf ON leaf.leaf_index = place
LEFT JOIN audit_auditevent AS event ON event.id = leaf.event_pk
ORDER BY place
"""
_COMMITMENT: Final = re.compile(r'\{"commitment":"([A-Za-z0-9_-]{43})"\}')
_HAS_PAYLOAD: Final = '"changes_sha256":"'


@dataclass(frozen=True)
class Evidence:
    """What a bundle ends with, and what stands for it.

    Attributes:
        checkpoint: the newest in it.
        manifest_sha256: of its manifest, in hexadecimal.
    """

    checkpoint: Checkpoint
    manifest_sha256: str


def write_evidence(
    target: IO[bytes],
    *,
    size: int | None = None,
    with_names: bool = False,
    tell: Tell = lambda _: None,
) -> Evidence:
    """Write the bundle up to a checkpoint.

    Args:
        target: open for writing, at its beginning, able to seek.
        size: of the checkpoint; None for the newest.
        with_names: with the texts about people that are not erased.
        tell: called after every few thousand events.
    """
    head = Head.objects.get()
    newest = checkpoint_at(head.size if size is None else size)
    stamped = received.tokens(newest.size, _origin(newest))
    spoken = _Spoken(of_people=with_names)
    pruned = pruned_segments()
    kept = kept_ranges(newest.size, pruned)
    contents = Contents(
        note=cosigned_note(newest),
        bodies=(body for span in kept for body in _bodies(span, spoken, tell)),
        read_tile=_blank_where_missing(_tiles_ahead(head)),
        earlier=_earlier(newest, set(stamped)),
        stamps=sorted(stamped.items()),
        tsa_certificate=received.authority_certificates(),
        vkeys=public_keys(),
        payloads=spoken.payloads(),
        disclosures=spoken.disclosures() if with_names else None,
        pruned=pruned,
    )
    return Evidence(newest, write_bundle(target, contents))


def checkpoint_at(size: int) -> Checkpoint:
    """Give the newest checkpoint that a tree of this size covers.

    Raises:
        Checkpoint.DoesNotExist: nothing is sealed yet.
    """
    return Checkpoint.objects.filter(size__lte=size).latest("size")


def cosigned_note(checkpoint: Checkpoint) -> str:
    """Give a checkpoint with what witnesses wrote below it."""
    size = checkpoint.size
    return received.cosigned({size: checkpoint.note}, _origin(checkpoint))[size]


def public_keys() -> list[str]:
    """List the keys of the log, oldest first."""
    return list(Key.objects.order_by("created_at").values_list("vkey", flat=True))


def has_payload(body: str) -> bool:
    """Say whether the changes of an event were too large for its body."""
    return _HAS_PAYLOAD in body


def payloads_of(leaves: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Read changes that are kept apart, each with the digest that its event has of it.

    Args:
        leaves: places of the events in the tree; read when the first is asked for.
    """
    for some in _parts(leaves, PAYLOADS_AT_ONCE):
        found = AuditEvent.objects.filter(leaf__leaf_index__in=some).exclude(payload="")
        for payload in found.values_list("payload", flat=True):
            yield sha256(payload.encode()).hexdigest(), payload


@dataclass
class _Spoken:
    """What the events speak of and a bundle has in files of its own.

    Args:
        of_people: whether the names of people are looked for.
    """

    of_people: bool
    _commitments: set[str] = field(default_factory=set)
    _leaves: list[int] = field(default_factory=list)

    def notice(self, start: int, bodies: list[str]) -> None:
        """Look through the events from leaf `start` on."""
        places = enumerate(bodies, start)
        self._leaves += [place for place, body in places if _HAS_PAYLOAD in body]
        if self.of_people:
            found = (_COMMITMENT.findall(body) for body in bodies)
            self._commitments.update(*found)

    def payloads(self) -> Iterator[tuple[str, str]]:
        """Read the changes that were too large for their events, by their digest."""
        for digest, payload in payloads_of(self._leaves):
            if self.of_people:
                self._commitments.update(_COMMITMENT.findall(payload))
            yield digest, payload

    def disclosures(self) -> Iterator[str]:
        """Read what stands behind the commitments and is not erased."""
        for commitments in _parts(sorted(self._commitments), CHUNK):
            found = Disclosure.objects.in_bulk(commitments)
            for commitment in commitments:
                if known := found.get(commitment):
                    yield disclosure_of(known.salt, known.value)


def _parts(items: Sequence[T], length: int) -> Iterator[Sequence[T]]:
    return (items[start : start + length] for start in range(0, len(items), length))


def _bodies(span: range, spoken: _Spoken, tell: Tell) -> Iterator[str]:
    for start in range(span.start, span.stop, CHUNK):
        end = min(start + CHUNK, span.stop)
        places = {"missing": MISSING_BODY, "start": start, "end": end - 1}
        with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
            rows = cursor.execute(_BODIES, places, binary=True).fetchall()
        bodies = [body for (body,) in rows]
        spoken.notice(start, bodies)
        yield from bodies
        tell(end)


def _tiles_ahead(head: Head) -> ReadTile:
    """Read tiles; those that follow come along, since an export asks for them next."""
    stored, ahead = reader(head), dict[Coordinates, bytes]()

    def read_tile(level: int, index: int) -> bytes:
        if (level, index) not in ahead:
            following = Tile.objects.filter(level=level, index__gte=index)
            rows = following.order_by("index").values_list("index", "hashes")
            ahead.clear()
            ahead.update({(level, at): bytes(row) for at, row in rows[:TILES_AHEAD]})
        return ahead.get((level, index)) or stored(level, index)

    return read_tile


def _blank_where_missing(read_tile: ReadTile) -> ReadTile:
    return lambda level, index: read_tile(level, index).ljust(TILE_BYTES, b"\0")


def _earlier(newest: Checkpoint, stamped: set[int]) -> list[str]:
    """List the last checkpoint of each day, so that old copies have their like.

    Those that an anchor spoke of are there as well, with what witnesses wrote below;
    those of a log that ended with a loss are in the event that says so.
    """
    origin = _origin(newest)
    spoken_of = {*stamped, received.cosigned_size(newest.size, origin)}
    before = Checkpoint.objects.filter(
        size__lt=newest.size, note__startswith=f"{origin}\n"
    )
    days = before.order_by("-created_at__date", "-size").distinct("created_at__date")
    notes = dict(days.values_list("size", "note")[:MAX_EARLIER])
    notes |= dict(before.filter(size__in=spoken_of).values_list("size", "note"))
    return [note for _, note in sorted(received.cosigned(notes, origin).items())]


def _origin(checkpoint: Checkpoint) -> str:
    return checkpoint.note.partition("\n")[0]
