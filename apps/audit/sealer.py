"""Seal what was committed: give each event its place in the tree, and sign the tree.

One pass is one transaction with one snapshot of the database. What is new is what this
snapshot shows and the last one did not, so that a transaction that took long to commit
is found without searching, and nothing is found twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.db import DataError, IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from apps.audit import pickup
from apps.audit.anchors.guard import Guard
from apps.audit.body import flaw_of
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Checkpoint, Head, Key
from apps.audit.pickup import Moment
from apps.audit.rotation import signers_of
from apps.audit.signing import CannotSeal, SealerFiles
from apps.audit.stored_tree import grow, reader, root_of
from apps.audit.transparency import checkpoint
from apps.audit.transparency.note import Signer, sign_note
from apps.audit.transparency.tiles import hashes_in
from apps.audit.transparency.tree import EMPTY_ROOT

logger = logging.getLogger(__name__)

BATCH: Final = 10_000
SIGN_OF_LIFE: Final = timedelta(seconds=10)
HEAD_ID: Final = 1


@dataclass
class Sealer:
    """What signs the trail.

    Attributes:
        files: the private keys, and the last published checkpoint.
        batch: events of one pass at most.
        guard: knows what the anchors outside hold.
    """

    files: SealerFiles
    batch: int = BATCH
    guard: Guard = field(default_factory=Guard)
    _vouched_for: tuple[object, ...] = field(default=(), init=False)

    @property
    def signer(self) -> Signer:
        """The key that signs now."""
        return self.files.signer()

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
        size, is_news = pickup.has_news(HEAD_ID)
        seen = self.guard.seen()
        if not is_news and self._vouched_for == (size, self.files.last_note(), seen):
            return 0
        Head.objects.get_or_create(pk=HEAD_ID)
        try:
            with transaction.atomic():
                head, count, note = self._pass()
        except (DataError, IntegrityError) as error:
            raise CannotSeal(
                f"Rows that the sealer did not write are in its way: {error}"
            ) from error
        if note:
            self.files.publish(note)
        if head:
            self._vouched_for = head.size, self.files.last_note(), seen
        return count

    def _pass(self) -> tuple[Head | None, int, str]:
        found = pickup.lock_head(HEAD_ID)
        if found is None:  # another sealer is at work
            return None, 0, ""
        head, moment = found
        self._require_what_was_published(head)
        self.guard.require_prefix(self.signer.name, head.size, hashes_in(reader(head)))
        signers = signers_of(self.files)
        was_catching_up = bool(head.target)
        hashes = self._take(head, moment)
        if was_catching_up and not hashes:  # the batch before this one was the last
            hashes = self._take(head, moment)
        note = ""
        if hashes:
            grow(head, hashes)
            note = _sign(head, signers)
        head.save()
        return head, len(hashes), note

    def _take(self, head: Head, moment: Moment) -> list[bytes]:
        """Read the next new events, and note in the head up to where.

        Returns:
            Their hashes.
        """
        hashes, flawed, last = [], [], (b"", 0)
        for proofs in pickup.take(head, moment, self.batch):
            hashes += [proof.leaf_hash for proof in proofs]
            last = proofs[-1].place, proofs[-1].pk
            flawed += [
                one.pk for one in proofs if not (one.is_sound and one.has_our_mac)
            ]
        _require_accepted(flawed)
        if len(hashes) == self.batch:
            _stop_after(head, *last, moment)
        else:
            _caught_up(head, moment)
        return hashes

    def _require_what_was_published(self, head: Head) -> None:
        published = self.files.published()
        if published is None:
            if head.size:
                raise CannotSeal(
                    f"{self.files.published_file} is missing although {head.size} "
                    "events are sealed. Put the newest checkpoint that you kept there."
                )
            self.files.publish(signed(0, EMPTY_ROOT, [self.signer]))
            return
        if published.size > head.size:
            raise CannotSeal(
                f"The database holds {head.size} sealed events, but a checkpoint of "
                f"{published.size} was published: events were removed, or an old "
                "backup was restored."
            )
        if root_of(head, published.size) != published.root:
            raise CannotSeal(
                f"The tree in the database is not the one that was published at size "
                f"{published.size}: it was rewritten."
            )


def signed(size: int, root: bytes, signers: list[Signer]) -> str:
    """Write and sign what the tree is now."""
    stated = checkpoint.Checkpoint(signers[0].name, size, root)
    return sign_note(checkpoint.format_checkpoint(stated), signers)


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


def _require_accepted(flawed: list[int]) -> None:
    """Refuse events that are not what the portal wrote, unless a person took them."""
    events = [
        event
        for event in AuditEvent.objects.filter(pk__in=flawed).order_by("pk")
        if flaw_of(event)
    ]
    accepted = accepted_among(events)
    for event in events:
        if event.pk not in accepted:
            raise CannotSeal(
                f"Audit event {event.pk} ({event.event_id}) was changed or put in "
                f"before it was sealed: {flaw_of(event)}."
            )


def _sign(head: Head, signers: list[Signer]) -> str:
    root = root_of(head, head.size)
    note = signed(head.size, root, signers)
    Checkpoint.objects.create(size=head.size, root=root, note=note)
    _keep_keys([one.vkey for one in signers], head.size)
    return note


def _keep_keys(vkeys: list[str], size: int) -> None:
    """Note which keys signed the tree of this size, and which signed their last."""
    for vkey in vkeys:
        Key.objects.get_or_create(vkey=vkey, defaults={"from_size": size})
    ended = Key.objects.filter(to_size=None).exclude(vkey__in=vkeys)
    if ended.exists():
        before = Checkpoint.objects.filter(size__lt=size).aggregate(last=Max("size"))
        ended.update(to_size=before["last"])


def _stop_after(head: Head, xid: bytes, pk: int, moment: Moment) -> None:
    """Note that there may be more after this event in the same snapshot."""
    head.target = head.target or moment.now
    head.cursor_xid, head.cursor_id = int.from_bytes(xid, "big"), pk


def _caught_up(head: Head, moment: Moment) -> None:
    """Note that everything up to the snapshot of this pass is sealed."""
    head.previous, head.target = head.target or moment.now, ""
    head.cursor_xid = head.cursor_id = 0
    head.system_id = moment.system_id
