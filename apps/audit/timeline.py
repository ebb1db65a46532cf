"""The whole life of one object, told by the trail, oldest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from itertools import groupby
from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.paging import ROWS, Reading, with_places
from apps.audit.queries import with_names
from apps.audit.words import id_in, naming

if TYPE_CHECKING:
    from apps.accounts.models import User

ACCOUNT: Final = "accounts.user"
MAX_RELATED: Final = 200  # other events of the same requests, on one page
# Looks at the trail name objects, and tell nothing of their lives.
LOOKS: Final = (EventType.AUDIT_VIEWED, EventType.AUDIT_EXPORTED)


@dataclass
class Step:
    """One event of a life.

    Args:
        event: what happened.
        is_own: it happened to the object itself, or a person did it.
        related: what else happened in the same request.
    """

    event: AuditEvent
    is_own: bool
    related: list[AuditEvent] = field(default_factory=list)


@dataclass(frozen=True)
class Life:
    """One page of what happened to an object.

    Args:
        newest: the last event that tells of it, for its name and its page.
        days: the steps of each day, in order.
        later: cursor of the page that follows; empty on the last.
    """

    newest: AuditEvent
    days: list[tuple[date, list[Step]]]
    later: str

    @property
    def is_person(self) -> bool:
        """Whether it is the life of an account."""
        return self.newest.target_type == ACCOUNT


def life_of(
    user: User, kind: str, key: str, *, after: str = "", with_mentions: bool = True
) -> Life | None:
    """Tell what happened to an object, as far as `user` may read it.

    Args:
        user: who reads.
        kind: the type of the object, such as `registry.modelversion`.
        key: its id.
        after: id of an event; the page holds later ones.
        with_mentions: also what names it elsewhere.

    Returns:
        None when nothing tells of it.

    Raises:
        Invalid: the cursor is not one.
    """
    visible = AuditEvent.objects.visible_to(user)
    own = visible.filter(target_type=kind, target_id=key)
    newest = own.order_by("-event_id").first()
    if newest is None:
        return None
    with_names([newest])
    reading = Reading(towards_newer=True)
    reading = reading.before(after) if after else reading
    ids = _ids(reading, visible, newest, with_mentions=with_mentions)
    ids, more = ids[:ROWS], len(ids) > ROWS
    rows = with_places(
        with_names(visible.filter(event_id__in=ids).order_by("event_id"))
    )
    steps = [Step(row, _is_own(row, newest)) for row in rows if _tells_of(row, newest)]
    _relate(steps, visible)
    days = groupby(steps, key=lambda step: step.event.at.astimezone(UTC).date())
    later = str(ids[-1]) if more else ""
    return Life(newest, [(day, list(each)) for day, each in days], later)


def _ids(
    reading: Reading,
    visible: QuerySet[AuditEvent],
    newest: AuditEvent,
    *,
    with_mentions: bool,
) -> list[UUID]:
    one = {"target_type": newest.target_type, "target_id": newest.target_id}
    strands = [reading.ordered(visible.filter(**one))]
    if newest.target_type == ACCOUNT:
        did = visible.filter(actor_id=newest.target_id)
        strands.append(reading.ordered(did))
    if with_mentions:
        named = _mentions(visible, newest)
        strands.append(reading.looked_up(named))
    return reading.take(strands)


def _mentions(
    visible: QuerySet[AuditEvent], newest: AuditEvent
) -> QuerySet[AuditEvent]:
    """Find what names the object elsewhere: by its id, or a name of several words."""
    elsewhere = visible.exclude(type__in=LOOKS)
    if newest.target_type == ACCOUNT or newest.project_id is None:
        return elsewhere.filter(naming(newest.target_id))
    name = newest.target_label
    if len(name.split()) == 1:
        return elsewhere.filter(naming(newest.target_id), project_id=newest.project_id)
    here = Q(project_id=newest.project_id)
    return elsewhere.filter(here & (naming(newest.target_id) | naming(name)))


def _is_own(event: AuditEvent, newest: AuditEvent) -> bool:
    if event.target_type == newest.target_type and event.target_id == newest.target_id:
        return True
    is_account = newest.target_type == ACCOUNT
    return is_account and event.actor_id == id_in(newest.target_id)


def _tells_of(event: AuditEvent, newest: AuditEvent) -> bool:
    """Leave out what has all the words of the name, yet not the name."""
    if _is_own(event, newest) or newest.target_id in event.body:
        return True
    name = orjson.dumps(str(newest.facts["object"]["name"])).decode()[1:-1]
    return name in event.body


def same_request(
    visible: QuerySet[AuditEvent], *events: AuditEvent
) -> list[AuditEvent]:
    """List what else happened in the requests of some events, with names."""
    requests = {event.request_id for event in events} - {""}
    if not requests:
        return []
    others = visible.filter(request_id__in=requests).exclude(type__in=LOOKS)
    others = others.exclude(event_id__in=[event.event_id for event in events])
    return with_names(others.order_by("event_id")[:MAX_RELATED])


def _relate(steps: Sequence[Step], visible: QuerySet[AuditEvent]) -> None:
    found = defaultdict(list)
    for event in same_request(visible, *(step.event for step in steps)):
        found[event.request_id].append(event)
    for step in steps:
        step.related = found.pop(step.event.request_id, [])
