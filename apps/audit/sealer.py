"""Seal what was committed: give each event its place in the tree, and sign the tree.

One pass is one transaction with one snapshot of the database. What is new is what this
snapshot shows and the last one did not, so that a transaction that took long to commit
is found without searching, and nothing is found twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Final

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.audit.anchors.guard import Guard
from apps.audit.body import flaw_of, hash_of
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Checkpoint, Head, Key, Leaf, Tile
from apps.audit.signing import CannotSeal, SealerFiles
from apps.audit.transparency import checkpoint
from apps.audit.transparency.note import Signer, sign_note
from apps.audit.transparency.tiles import (
    TILE_BYTES,
    TILE_HEIGHT,
    Coordinates,
    ReadTile,
    hashes_in,
    new_tiles,
)
from apps.audit.transparency.tree import EMPTY_ROOT, root_at

logger = logging.getLogger(__name__)

BATCH: Final = 2000
REMEMBERED_TILES: Final = 64
SIGN_OF_LIFE: Final = timedelta(seconds=10)
HEAD_ID: Final = 1

_LOCK_HEAD: Final = """
SELECT id, pg_current_snapshot()::text,
    (SELECT system_identifier FROM pg_control_system())
FROM audit_head WHERE id = %s FOR UPDATE SKIP LOCKED
"""
# A row is new when the snapshot `previous` did not show it: its transaction was still
# open then, or began later. Each branch is one range of the index.
_NEW_EVENTS: Final = """
SELECT * FROM (
    SELECT * FROM audit_auditevent
        WHERE xid >= pg_snapshot_xmax(%(previous)s::pg_snapshot)
    UNION ALL
    SELECT * FROM audit_auditevent
        WHERE xid = ANY(ARRAY(SELECT pg_snapshot_xip(%(previous)s::pg_snapshot)))
) AS event
WHERE (%(foreign)s OR pg_visible_in_snapshot(xid, %(target)s::pg_snapshot))
    AND (xid, id) > (%(cursor_xid)s::text::xid8, %(cursor_id)s)
    AND NOT EXISTS (SELECT FROM audit_leaf WHERE event_pk = event.id)
ORDER BY xid, id LIMIT %(batch)s
"""


@dataclass(frozen=True)
class Sealer:
    """What signs the trail.

    Args:
        signer: the private key.
        files: where the last published checkpoint is kept.
        batch: events of one pass at most.
        guard: knows what the anchors outside hold.
    """

    signer: Signer
    files: SealerFiles
    batch: int = BATCH
    guard: Guard = field(default_factory=Guard)

    def seal_and_tell(self) -> int:
        """Seal, and keep for the health page what stands in the way."""
        try:
            count, obstacle = self.seal(), ""
        except CannotSeal as error:
            count, obstacle = 0, str(error)
        _tell_obstacle(obstacle)
        return count

    def seal(self) -> int:
        """Seal what was committed since the last pass.

        Returns:
            The number of events sealed; as many as a batch means there may be more.

        Raises:
            CannotSeal: an event or the tree is not what was written. Nothing is signed.
        """
        Head.objects.get_or_create(pk=HEAD_ID)
        try:
            with transaction.atomic():
                count, note = self._pass()
        except IntegrityError as error:
            raise CannotSeal(
                f"Rows that the sealer did not write are in its way: {error}"
            ) from error
        if note:
            self.files.publish(note)
        return count

    def _pass(self) -> tuple[int, str]:
        found = _lock_head()
        if found is None:  # another sealer is at work
            return 0, ""
        head, now, system_id = found
        self._require_what_was_published(head)
        hashes = hashes_in(reader(head))
        self.guard.require_prefix(self.signer.name, head.size, hashes)
        events = self._new_events(head, now, system_id)
        if not events and head.target:  # the batch before this one was the last
            _caught_up(head, now, system_id)
            head.save()
            events = self._new_events(head, now, system_id)
        if not events:
            return 0, ""
        note = self._extend(head, events)
        if len(events) == self.batch:
            _stop_after(head, events[-1], now)
        else:
            _caught_up(head, now, system_id)
        head.save()
        return len(events), note

    def _require_what_was_published(self, head: Head) -> None:
        published = self.files.published(self.signer)
        if published is None:
            if head.size:
                raise CannotSeal(
                    f"{self.files.published_file} is missing although {head.size} "
                    "events are sealed. Put the newest checkpoint that you kept there."
                )
            self.files.publish(self._note(0, EMPTY_ROOT))
            return
        if published.size > head.size:
            raise CannotSeal(
                f"The database holds {head.size} sealed events, but a checkpoint of "
                f"{published.size} was published: events were removed, or an old "
                "backup was restored."
            )
        if root_at(published.size, hashes_in(reader(head))) != published.root:
            raise CannotSeal(
                f"The tree in the database is not the one that was published at size "
                f"{published.size}: it was rewritten."
            )

    def _new_events(self, head: Head, now: str, system_id: int) -> list[AuditEvent]:
        is_foreign = head.system_id not in {None, system_id}
        events = AuditEvent.objects.raw(
            _NEW_EVENTS,
            {
                "previous": "3:3:" if is_foreign else head.previous,
                "target": head.target or now,
                "foreign": is_foreign,
                "cursor_xid": head.cursor_xid,
                "cursor_id": head.cursor_id,
                "batch": self.batch,
            },
        )
        return list(events)

    def _extend(self, head: Head, events: list[AuditEvent]) -> str:
        """Put the events into the tree and sign it.

        Returns:
            The signed checkpoint.
        """
        _require_as_written(events)
        Leaf.objects.bulk_create(
            Leaf(leaf_index=head.size + place, event=event)
            for place, event in enumerate(events)
        )
        hashes = [hash_of(event.body) for event in events]
        tiles = _unfinished(head) | new_tiles(head.size, hashes, reader(head))
        head.size += len(events)
        head.edge = _edge(head.size, tiles)
        Tile.objects.bulk_create(
            Tile(level=level, index=index, hashes=tile)
            for (level, index), tile in tiles.items()
            if len(tile) == TILE_BYTES
        )
        return self._sign(head)

    def _sign(self, head: Head) -> str:
        root = root_at(head.size, hashes_in(reader(head)))
        note = self._note(head.size, root)
        Checkpoint.objects.create(size=head.size, root=root, note=note)
        Key.objects.get_or_create(
            vkey=self.signer.vkey, defaults={"from_size": head.size}
        )
        return note

    def _note(self, size: int, root: bytes) -> str:
        stated = checkpoint.Checkpoint(self.signer.name, size, root)
        return sign_note(checkpoint.format_checkpoint(stated), [self.signer])


def reader(head: Head) -> ReadTile:
    """Read the tiles of the tree, the unfinished ones out of its head."""
    unfinished = _unfinished(head)

    @lru_cache(maxsize=REMEMBERED_TILES)
    def read_tile(level: int, index: int) -> bytes:
        if (level, index) in unfinished:
            return unfinished[level, index]
        tile = Tile.objects.filter(level=level, index=index).first()
        return bytes(tile.hashes) if tile else b""

    return read_tile


def tell_finding(finding: str) -> None:
    """Keep what an inspection found; empty when everything is as it was sealed."""
    if Head.objects.filter(pk=HEAD_ID).exclude(finding=finding).update(finding=finding):
        _log(finding or "Everything is as it was sealed.", is_problem=bool(finding))


def obstacle() -> str:
    """Say what keeps the sealer from signing."""
    return Head.objects.get(pk=HEAD_ID).obstacle


def _tell_obstacle(obstacle: str) -> None:
    heads, now = Head.objects.filter(pk=HEAD_ID), timezone.now()
    changed = heads.exclude(obstacle=obstacle).update(obstacle=obstacle, seen_at=now)
    if changed:
        _log(obstacle or "Sealing again.", is_problem=bool(obstacle))
    else:
        heads.filter(seen_at__lt=now - SIGN_OF_LIFE).update(seen_at=now)


def _log(sentence: str, *, is_problem: bool) -> None:
    logger.log(logging.ERROR if is_problem else logging.INFO, "%s", sentence)


def accepted_among(flawed: list[AuditEvent]) -> set[int]:
    """Find the flawed events that a person accepted as they lie.

    An acceptance is an event itself, and counts only with the portal's own MAC.
    """
    if not flawed:
        return set()
    acceptances = AuditEvent.objects.filter(
        type=EventType.AUDIT_FLAW_ACCEPTED,
        target_type=AuditEvent._meta.label_lower,
        target_id__in=[str(event.pk) for event in flawed],
    )
    return {int(one.target_id) for one in acceptances if not flaw_of(one)}


def _require_as_written(events: list[AuditEvent]) -> None:
    flawed = [event for event in events if flaw_of(event)]
    accepted = accepted_among(flawed)
    for event in flawed:
        if event.pk not in accepted:
            raise CannotSeal(
                f"Audit event {event.pk} ({event.event_id}) was changed or put in "
                f"before it was sealed: {flaw_of(event)}."
            )


def _lock_head() -> tuple[Head, str, int] | None:
    """Take the lock of the head and the snapshot of this pass, in this order of words.

    Should another sealer commit between the two, the database refuses this pass.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(_LOCK_HEAD, [HEAD_ID])
        found = cursor.fetchone()
    if found is None:
        return None
    return Head.objects.get(pk=found[0]), found[1], found[2]


def _stop_after(head: Head, last: AuditEvent, now: str) -> None:
    """Note that there may be more after this event in the same snapshot."""
    head.target = head.target or now
    head.cursor_id = last.pk
    head.cursor_xid = int(last.xid)  # type: ignore[attr-defined]  # of the raw query


def _caught_up(head: Head, now: str, system_id: int) -> None:
    """Note that everything up to the snapshot of this pass is sealed."""
    head.previous, head.target = head.target or now, ""
    head.cursor_xid = head.cursor_id = 0
    head.system_id = system_id


def _unfinished(head: Head) -> dict[Coordinates, bytes]:
    return {
        (level, head.size >> TILE_HEIGHT * (level + 1)): bytes(hashes)
        for level, hashes in enumerate(head.edge)
    }


def _edge(size: int, tiles: dict[Coordinates, bytes]) -> list[bytes]:
    """List the unfinished tile of each level, empty where a level is just full."""
    edge, level = [], 0
    while size >> TILE_HEIGHT * level:
        edge.append(tiles.get((level, size >> TILE_HEIGHT * (level + 1)), b""))
        level += 1
    return edge
