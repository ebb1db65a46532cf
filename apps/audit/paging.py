"""One page of the trail, by the key of its first or last event, whatever is asked.

Two things keep a page cheap in a long trail. What one person may read, and what several
people did, is read as strands that an index has in order each. And where more than one
thing is asked, the nearest events are looked through first: whoever asks for what is
frequent has a page full of it there. What is rare is then looked up as a whole; the
database would otherwise go through the trail event by event until it has a page full,
which for what happened only long ago is all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product
from operator import and_
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import OperationalError, connection, models, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Cast

from apps.audit.models import AuditEvent, Checkpoint, Leaf
from apps.audit.queries import (
    HIGHEST,
    LOWEST,
    AuditFilter,
    id_range,
    matching,
    matching_one_by_one,
    types_in,
    with_names,
)
from apps.audit.words import id_in, subjects_named
from apps.core.errors import Invalid

if TYPE_CHECKING:
    from apps.accounts.models import User

ROWS: Final = 50  # of a page
NEAR: Final = 1_000  # events that are looked through first
PART: Final = 50_000  # events among which things are looked up before it is all
MAX_STRANDS: Final = 60
MOST_COUNTED: Final = 10_000
COUNTING_SECONDS: Final = 0.5
# What an index has in order when nothing else is asked; the next two as an id only.
_IN_ORDER: Final = {"person", "type", "outcome", "request"}
_IN_ORDER_BY_ID: Final = {"project", "target"}
_TIMES: Final = {"period", "since", "until"}


Narrow = Callable[[QuerySet[AuditEvent], AuditFilter], QuerySet[AuditEvent]]


@dataclass(frozen=True)
class EventPage:
    """One page of events, newest first.

    Args:
        rows: the events, with names and with their places in the tree.
        older: cursor of the page that follows; empty on the last.
        newer: cursor of the page before; empty on the first.
    """

    rows: list[AuditEvent]
    older: str = ""
    newer: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether there are no other pages."""
        return not self.older and not self.newer


@dataclass(frozen=True)
class Reading:
    """Which ids a page may hold, and from which end it is read."""

    first: UUID = LOWEST
    beyond: UUID = HIGHEST
    towards_newer: bool = False

    def after(self, cursor: str) -> Reading:
        """Go on with what is older than an event."""
        return replace(self, beyond=min(self.beyond, _cursor(cursor)))

    def before(self, cursor: str) -> Reading:
        """Go on with what is newer than an event."""
        first = UUID(int=min(_cursor(cursor).int + 1, HIGHEST.int))
        return replace(self, first=max(self.first, first), towards_newer=True)

    def ordered(self, events: QuerySet[AuditEvent]) -> QuerySet[Any, Any]:
        """Give what may be held in the order of the indexes."""
        return self._within(events).order_by(self.sign + "event_id")

    def looked_up(self, events: QuerySet[AuditEvent]) -> QuerySet[Any, Any]:
        """Give the same; the database must find all, then sort."""
        as_text = Cast("event_id", models.TextField())  # no index has that
        found = self._within(events).alias(as_text=as_text)
        return found.order_by(self.sign + "as_text")

    def take(self, strands: list[QuerySet[Any, Any]]) -> list[UUID]:
        """Merge the beginnings of the strands."""
        ids = [strand.values_list("event_id", flat=True) for strand in strands]
        limited = [strand[: ROWS + 1] for strand in ids]
        if len(limited) == 1:
            return list(limited[0])
        joined = limited[0].union(*limited[1:])
        return list(joined.order_by(self.sign + "event_id")[: ROWS + 1])

    def _within(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return events.filter(event_id__gte=self.first, event_id__lt=self.beyond)

    @property
    def sign(self) -> str:
        return "" if self.towards_newer else "-"


def page_of(
    user: User, wanted: AuditFilter, *, after: str = "", before: str = ""
) -> EventPage:
    """Take one page of the events that `user` may read and that are wanted.

    Args:
        user: who reads.
        wanted: which events.
        after: id of an event; the page holds older ones.
        before: id of an event; the page holds newer ones.

    Raises:
        Invalid: the filter or the cursor is not one.
    """
    first, beyond = id_range(wanted)
    reading = Reading(first, beyond)
    reading = reading.after(after) if after else reading
    reading = reading.before(before) if before else reading
    ids = _ids(user, wanted, reading)
    more, ids = len(ids) > ROWS, sorted(ids[:ROWS], reverse=True)
    rows = AuditEvent.objects.visible_to(user).filter(event_id__in=ids)
    older = more or bool(before)
    newer = more if before else bool(after)
    return EventPage(
        rows=with_places(with_names(rows.order_by("-event_id"))),
        older=str(ids[-1]) if older and ids else "",
        newer=str(ids[0]) if newer and ids else "",
    )


def with_places(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """Give events their places in the tree, with one query; None while unsealed."""
    rows = list(events)
    leaves = Leaf.objects.filter(event__in=[event.pk for event in rows])
    places: dict[Any, int] = dict(leaves.values_list("event_id", "leaf_index"))
    for event in rows:
        event.place = places.get(event.pk)
    return rows


def seal_of(event: AuditEvent) -> Checkpoint | None:
    """Find the first checkpoint that an event is under; `with_places` was asked."""
    if event.place is None:
        return None
    return Checkpoint.objects.filter(size__gt=event.place).order_by("size").first()


def count_of(user: User, wanted: AuditFilter) -> str:
    """Say how many events are wanted, as far as that is known quickly.

    Raises:
        Invalid: the filter is not one.
    """
    events = matching(AuditEvent.objects.visible_to(user), wanted)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            (former,) = cursor.fetchone()
            _set_timeout(f"{int(COUNTING_SECONDS * 1000)}ms")
            count = events.order_by()[: MOST_COUNTED + 1].count()
            _set_timeout(former)
    except OperationalError:
        return "more than can be counted quickly"
    return f"{count:,}" if count <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"


def _set_timeout(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])


def _cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(
            "The page cursor is not valid; start from the first page."
        ) from error


def _strands(
    user: User, wanted: AuditFilter, narrow: Narrow = matching
) -> list[QuerySet[AuditEvent]]:
    """Part what is wanted so that an index has each part in order."""
    parts = [AuditEvent.objects.strands_of(user)]
    if wanted.person:
        parts.append([Q(actor_id=one) for one in subjects_named(wanted.person)])
    if wanted.type:
        parts.append([Q(type=one) for one in types_in(wanted.type)])
    rest = narrow(AuditEvent.objects.all(), replace(wanted, person="", type=""))
    strands = [reduce(and_, each) for each in product(*parts)]
    if len(strands) > MAX_STRANDS:
        return [narrow(AuditEvent.objects.visible_to(user), wanted)]
    return [rest.filter(each) for each in strands]


def _ids(user: User, wanted: AuditFilter, reading: Reading) -> list[UUID]:
    """Find the next events, one more than a page has if there are more."""
    strands = _strands(user, wanted)
    if not strands:
        return []
    if _is_in_order(user, wanted):
        return reading.take([reading.ordered(one) for one in strands])
    if near := _nearest(reading, NEAR):
        read = _strands(user, wanted, matching_one_by_one)
        ids = reading.take([near.ordered(one) for one in read])
        if len(ids) > ROWS:
            return ids
    if part := _nearest(reading, PART):
        ids = reading.take([part.looked_up(one) for one in strands])
        if len(ids) > ROWS:
            return ids
    return reading.take([reading.looked_up(one) for one in strands])


def _is_in_order(user: User, wanted: AuditFilter) -> bool:
    asked = wanted.given.keys() - _TIMES
    if AuditEvent.objects.strands_of(user) != [Q()]:
        return not asked
    if len(asked) > 1 or asked <= _IN_ORDER:
        return len(asked) <= 1
    return asked <= _IN_ORDER_BY_ID and id_in(getattr(wanted, *asked)) is not None


def _nearest(reading: Reading, size: int) -> Reading | None:
    """Narrow to about so many of the nearest events; None when there are no more."""
    events = reading.ordered(AuditEvent.objects.all())
    start = events.values_list("pk", flat=True).first() or 0
    if reading.towards_newer:
        beyond = AuditEvent.objects.filter(pk__gte=start + size).order_by("pk")
        bound = beyond.values_list("event_id", flat=True).first()
        return replace(reading, beyond=min(bound, reading.beyond)) if bound else None
    beyond = AuditEvent.objects.filter(pk__lte=start - size).order_by("-pk")
    bound = beyond.values_list("event_id", flat=True).first()
    return replace(reading, first=max(bound, reading.first)) if bound else None
