"""Who could do what at a moment, told by the trail alone.

The events that give and take roles are replayed in the order in which they were
recorded. The tables of accounts and members are not asked: they know only today.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from apps.access.permissions import Permission
from apps.access.roles import PROGRAM_MANAGER, ROLES, Reach, Role
from apps.audit.body import named
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.queries import upto, with_names

CHUNK_ROWS: Final = 2000
# What a project role permits to whom the agency gave it.
_OUTSIDE_OF_PROJECTS: Final = {Permission.PROJECT_CREATE}
_OF_MEMBERS: Final = (
    EventType.MEMBER_ADDED,
    EventType.MEMBER_REMOVED,
    EventType.MEMBER_ROLE_CHANGED,
)
_OF_ACCOUNTS: Final = (EventType.ACCOUNT_CREATED, EventType.ACCOUNT_ROLES_SET)
_OF_ROLES: Final = (
    *_OF_MEMBERS,
    *_OF_ACCOUNTS,
    EventType.ACCOUNT_DEACTIVATED,
    EventType.PROJECT_CREATED,
)


@dataclass(frozen=True)
class Holding:
    """A role that somebody held at a moment.

    Args:
        person: id of the account.
        role: slug of the role.
        project: where it counts; None for one given by the agency.
        given_by: the event that gave it.
    """

    person: str
    role: str
    project: UUID | None
    given_by: AuditEvent

    @property
    def known_role(self) -> Role | None:
        """The role in this release; None when it has no such role any more."""
        return ROLES.get(self.role)

    @property
    def role_title(self) -> str:
        """The title of the role, for people."""
        return self.known_role.title if self.known_role else self.role

    @property
    def counts(self) -> str:
        """Where it counts, in words."""
        if self.project:
            return self.given_by.project_label or self.given_by.target_label
        if self.known_role and self.known_role.reach == Reach.PROJECT:
            return "Outside of projects"
        return "Every project"

    @property
    def person_label(self) -> str:
        """Name and address of the holder at that time."""
        if self.given_by.type == EventType.PROJECT_CREATED:
            return self.given_by.actor_label
        if self.given_by.type in _OF_ACCOUNTS:
            return _as_actor(self.given_by.target_label)
        return str(self.given_by.changes["member"])

    def permits(self, permission: Permission) -> bool:
        """Say whether the role permits this in this release, where it counts."""
        if not self.known_role or permission not in self.known_role.permissions:
            return False
        if self.project or self.known_role.reach == Reach.AGENCY:
            return True
        return permission in _OUTSIDE_OF_PROJECTS

    def counts_in(self, project: UUID) -> bool:
        """Say whether the role counts in a project."""
        if self.project:
            return self.project == project
        return bool(self.known_role and self.known_role.reach == Reach.AGENCY)


@dataclass(frozen=True)
class Standing:
    """A role that somebody held, and what it permits in this release."""

    holding: Holding
    permissions: list[Permission]


def holdings_at(moment: datetime) -> list[Holding]:
    """List the roles that active people held at a moment, inclusive."""
    held: dict[tuple[str, UUID | None], list[Holding]] = {}
    closed: set[str] = set()
    for event in _told_until(moment):
        person = _whom(event)
        if event.type == EventType.ACCOUNT_DEACTIVATED:
            closed.add(person)
            continue
        place = None if event.type in _OF_ACCOUNTS else UUID(event.target_id)
        held[person, place] = [
            Holding(person, role, place, event) for role in _roles_after(event)
        ]
    found = [each for one in held.values() for each in one if each.person not in closed]
    with_names({each.given_by.pk: each.given_by for each in found}.values())
    return sorted(found, key=lambda one: (one.person_label, one.counts, one.role))


def who_could(
    permission: Permission, moment: datetime, project: UUID | None = None
) -> list[Holding]:
    """List the roles that permitted something at a moment.

    Args:
        permission: what.
        moment: when, inclusive.
        project: where; None for everywhere.
    """
    held = (one for one in holdings_at(moment) if one.permits(permission))
    return [one for one in held if project is None or one.counts_in(project)]


def what_could(people: Collection[UUID], moment: datetime) -> list[Standing]:
    """List the roles that people held at a moment, each with what it permits."""
    wanted = {str(person) for person in people}
    held = [one for one in holdings_at(moment) if one.person in wanted]
    return [
        Standing(one, [each for each in Permission if one.permits(each)])
        for one in held
    ]


def _told_until(moment: datetime) -> Iterator[AuditEvent]:
    events = upto(AuditEvent.objects.filter(type__in=_OF_ROLES), moment)
    return events.order_by("event_id").iterator(chunk_size=CHUNK_ROWS)


def _whom(event: AuditEvent) -> str:
    """Give the account that an event gave a role or took one from."""
    if event.type == EventType.PROJECT_CREATED:
        return str(event.actor_id)
    if event.type in _OF_MEMBERS:
        return str(_facts(event).get("member_id", ""))
    return event.target_id


def _roles_after(event: AuditEvent) -> list[str]:
    """Give the roles that somebody has after an event, in its place."""
    if event.type == EventType.PROJECT_CREATED:
        return [PROGRAM_MANAGER.slug]
    if event.type in _OF_MEMBERS:
        _, role = _facts(event)["role"]
        return [role] if role else []
    _, roles = _facts(event)["agency_roles"]
    return list(roles)


def _as_actor(label: str) -> str:
    """Write the name of an account as events write who acts."""
    name, _, address = label.removesuffix(")").rpartition(" (")
    return f"{name} <{address}>" if name else label


def _facts(event: AuditEvent) -> dict[str, Any]:
    return dict(named(event.facts["changes"]) or {})
