"""How the anchors are, in words, for the audit page, /healthz and operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from apps.audit.anchors.addresses import InvalidAddress, anchors_of
from apps.audit.anchors.anchor import Anchor
from apps.audit.anchors.outbox import idle_pace
from apps.audit.models import Checkpoint, Publication, PublicationState


@dataclass(frozen=True)
class Standing:
    """How one anchor is.

    Attributes:
        kind: what it is.
        address: where it is.
        size: events of the newest checkpoint that it took; 0 for none.
        at: when it took it.
        word: ok, waiting (for the next attempt, or for a person) or late.
        sentence: what is the matter; empty when nothing.
    """

    kind: str
    address: str
    size: int
    at: datetime | None
    word: str
    sentence: str


@dataclass(frozen=True)
class Outside:
    """What lies outside the portal.

    Attributes:
        anchors: each of them.
        anchored_at: when one of them took a checkpoint last.
        size: events that the largest checkpoint outside covers.
        problem: what is late or cannot be read, in a sentence; empty when nothing.
    """

    anchors: list[Standing]
    anchored_at: datetime | None
    size: int
    problem: str


def outside() -> Outside:
    """Gather how the anchors are."""
    try:
        anchors = [_standing(anchor) for anchor in anchors_of(settings.AUDIT_ANCHORS)]
    except InvalidAddress as error:
        return Outside([], None, 0, str(error))
    late = [one for one in anchors if one.word == "late"]
    return Outside(
        anchors=anchors,
        anchored_at=max((one.at for one in anchors if one.at), default=None),
        size=max((one.size for one in anchors), default=0),
        problem=" ".join(f"{one.kind} {one.address}: {one.sentence}" for one in late),
    )


def _standing(anchor: Anchor) -> Standing:
    rows = Publication.objects.filter(target=anchor.address).order_by("-id")
    taken = rows.filter(state=PublicationState.DONE).first()
    newest = rows.first()
    waiting = newest if newest and newest.done_at is None else None
    sentence = waiting.last_error if waiting else ""
    overdue = _overdue_since(anchor, taken, waiting)
    if overdue:
        reason = sentence or "Is the sealer at work?"
        sentence = f"Owed a checkpoint since {overdue:%Y-%m-%d %H:%M} UTC. {reason}"
    return Standing(
        kind=anchor.kind,
        address=anchor.address,
        size=taken.size if taken else 0,
        at=taken.done_at if taken else None,
        word="late" if overdue else "waiting" if sentence else "ok",
        sentence=sentence,
    )


def _overdue_since(
    anchor: Anchor, taken: Publication | None, waiting: Publication | None
) -> datetime | None:
    """Say since when a checkpoint is owed, when that is too long ago."""
    if waiting:
        since = waiting.created_at
    elif taken:
        since = taken.created_at + timedelta(seconds=idle_pace(anchor))
    else:
        oldest = Checkpoint.objects.order_by("size").first()
        since = oldest.created_at if oldest else timezone.now()
    is_late = timezone.now() - since > timedelta(seconds=anchor.late)
    return since if is_late else None
