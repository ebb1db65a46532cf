"""What the auditor's desk offers to choose from, and how a filter reads in words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.db.models import Q

from apps.access.checks import has_agency_permission, project_roles_with
from apps.access.permissions import Permission
from apps.audit.event_types import OUTCOMES, EventType
from apps.audit.models import AuditEvent
from apps.audit.queries import AuditFilter

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_PROJECTS: Final = 500
MAX_PEOPLE: Final = 20
PERIODS: Final = {"today": "Today", "7d": "Last 7 days", "30d": "Last 30 days"}
NAMES: Final = {
    "text": "Words",
    "person": "Who",
    "type": "What",
    "target": "Object",
    "project": "Project",
    "outcome": "Outcome",
    "period": "When",
    "since": "From",
    "until": "To",
    "request": "Request",
}


@dataclass(frozen=True)
class Chip:
    """One part of a filter in words, and the filter without it."""

    name: str
    value: str
    without: str


def choices(
    user: User, wanted: AuditFilter, projects: dict[str, str]
) -> dict[str, Any]:
    """Give what the form of the filter offers to `user`."""
    return {
        "type_groups": _type_groups(),
        "outcomes": [(one, one.capitalize()) for one in OUTCOMES],
        "periods": PERIODS.items(),
        "projects": projects.items(),
        "is_other_project": bool(wanted.project) and wanted.project not in projects,
        "people": people_known_to(user, ""),
    }


def chips(wanted: AuditFilter, projects: dict[str, str]) -> list[Chip]:
    """Say a filter in words, part by part."""
    shown = {**projects, **PERIODS}
    return [
        Chip(
            NAMES[name],
            shown.get(value, value),
            urlencode({k: v for k, v in wanted.given.items() if k != name}),
        )
        for name, value in wanted.given.items()
    ]


def projects_of(user: User) -> dict[str, str]:
    """Name the projects whose trail `user` may read, by id, as the trail does."""
    naming = (EventType.PROJECT_CREATED, EventType.PROJECT_EDITED)
    told = AuditEvent.objects.visible_to(user).filter(type__in=naming)
    newest = told.order_by("project_id", "-event_id").distinct("project_id")
    names = [(str(one.project_id), one.project_label) for one in newest[:MAX_PROJECTS]]
    return dict(sorted(names, key=lambda each: each[1].casefold()))


def people_known_to(user: User, text: str) -> list[str]:
    """List people whose deeds `user` may read, by name and address."""
    people = get_user_model().objects.filter(
        Q(full_name__icontains=text) | Q(email__icontains=text)
    )
    if not has_agency_permission(user, Permission.AUDIT_READ):
        roles = project_roles_with(Permission.AUDIT_READ)
        projects = user.memberships.filter(role__in=roles).values("project_id")
        together = Q(memberships__project_id__in=projects)
        people = people.filter(together | Q(pk=user.pk)).distinct()
    return [person.label for person in people.order_by("full_name", "pk")[:MAX_PEOPLE]]


def _type_groups() -> list[tuple[str, str, list[str]]]:
    """Group the kinds of events by resource: its title, the sign for all, the kinds."""
    groups = groupby(EventType.choices, key=lambda one: one[0].partition(".")[0])
    return [
        (resource.capitalize(), f"{resource}.*", [value for value, _ in each])
        for resource, each in groups
    ]
