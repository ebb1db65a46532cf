"""Which sealed events an export is made of, read a few thousand at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import orjson

from apps.access.checks import has_agency_permission, project_roles_with
from apps.access.permissions import Permission
from apps.audit import queries
from apps.audit.body import facts_beside, facts_in
from apps.audit.evidence import Tell
from apps.audit.models import AuditEvent, Disclosure
from apps.audit.personal import ERASED
from apps.audit.queries import AuditFilter

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import User

CHUNK_ROWS: Final = 2000
# Inside a text its quotation marks would be escaped, so this is always a commitment.
_COMMITMENT: Final = re.compile(r'\{"commitment":"([A-Za-z0-9_-]{43})"\}')
_COLUMNS: Final = ("event_id", "leaf__leaf_index", "leaf_hash", "body")


class SealedEvent(NamedTuple):
    """One event of an export.

    Attributes:
        names: the texts behind its commitments that are not erased; None when no names
            were asked for.
    """

    event_id: UUID
    leaf_index: int
    leaf_hash: bytes
    body: str
    names: dict[str, str] | None

    @property
    def told(self) -> dict[str, Any]:
        """The event with names, or the commitments themselves, in their places."""
        facts = facts_in(_COMMITMENT.sub(self._spelled, self.body))
        return facts or facts_beside(AuditEvent.objects.get(event_id=self.event_id))

    def _spelled(self, found: re.Match[str]) -> str:
        if self.names is None:
            return f'"{found[1]}"'
        return orjson.dumps(self.names.get(found[1], ERASED)).decode()


@dataclass(frozen=True)
class Chosen:
    """The events that match, of those that a person may take out.

    Attributes:
        wanted: the filter.
        by: who exports; what they may not export is left out.
        size: only events that the checkpoint of this size covers.
        with_names: whether the names of people are shown.
    """

    wanted: AuditFilter
    by: User
    size: int
    with_names: bool = False

    def events(self) -> QuerySet[AuditEvent]:
        """Give the events, in no order.

        Raises:
            Invalid: the filter is none.
        """
        exportable = AuditEvent.objects.exportable_by(self.by)
        sealed = exportable.filter(leaf__leaf_index__lt=self.size)
        return queries.matching(sealed, self.wanted)

    def read(self, tell: Tell) -> Iterator[SealedEvent]:
        """Read the events in the order of their time, which is that of their ids.

        A page of keys at a time, so that no transaction stays open and nothing is
        sorted: sealed events do not change.
        """
        count = 0
        for rows in _pages(self.events()):
            names = self._names(row[3] for row in rows)
            for event_id, index, digest, body in rows:
                yield SealedEvent(event_id, index, bytes(digest), body, names)
            count += len(rows)
            tell(count)

    def stated(self) -> dict[str, Any]:
        """Say by what the events were chosen, as it can be asked again of all events.

        Whoever may not export everything has their projects stated beside the filter.
        """
        given: dict[str, Any] = {**self.wanted.given}
        if has_agency_permission(self.by, Permission.AUDIT_EXPORT):
            return given
        projects = [str(project) for project in sorted(self._projects())]
        if given.get("project") in projects:
            return given
        if len(projects) == 1 and "project" not in given:
            return given | {"project": projects[0]}
        return given | {"projects": projects}

    def _projects(self) -> Iterator[UUID]:
        roles = project_roles_with(Permission.AUDIT_EXPORT)
        members = self.by.memberships.filter(role__in=roles)
        return iter(members.values_list("project_id", flat=True))

    def _names(self, bodies: Iterator[str]) -> dict[str, str] | None:
        if not self.with_names:
            return None
        found = {one for body in bodies for one in _COMMITMENT.findall(body)}
        return Disclosure.objects.texts(found)


def _pages(events: QuerySet[AuditEvent]) -> Iterator[list[Any]]:
    """Read the columns, page by page; a page that is not full is the last."""
    following = ordered = events.order_by("event_id").values_list(*_COLUMNS)
    while rows := list(following[:CHUNK_ROWS]):
        yield rows
        if len(rows) < CHUNK_ROWS:
            return
        following = ordered.filter(event_id__gt=rows[-1][0])


def commitments_of(body: str) -> list[str]:
    """List the commitments in the text of an event."""
    return _COMMITMENT.findall(body)
