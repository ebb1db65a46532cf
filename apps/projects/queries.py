"""Reads of projects that pages and API share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.forms import model_to_dict
from guardian.shortcuts import get_users_with_perms

from apps.access.grants import view_permission
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.audit.retention.period import kept_since
from apps.core.errors import Invalid
from apps.projects.models import Membership, Objective, Project, Restrictable

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import UserQuerySet


def with_member_counts(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Add `member_count` to each project."""
    # A subquery of ids, so that the join that decides visibility is not counted.
    return (
        Project.objects.filter(pk__in=projects.values("pk"))
        .annotate(member_count=Count("memberships"))
        .select_related("objective")
    )


def objective_values(project: Project) -> dict[str, Any]:
    """Return the stated objective as form values; empty when none is stated."""
    objective = Objective.objects.filter(project=project).first()
    if objective is None:
        return {}
    return model_to_dict(objective, exclude=["id", "project", "updated_at"])


def person_by_email(email: str) -> User:
    """Find the account of a person.

    Raises:
        Invalid: nobody has this address.
    """
    person = User.objects.people().filter(email__iexact=email).first()
    if person is None:
        raise Invalid(
            f"Nobody here has the address {email}. An administrator creates accounts.",
            fields={"email": "No such person."},
        )
    return person


def members_of(project: Project) -> QuerySet[Membership]:
    """List the memberships with their people, by name."""
    return project.memberships.select_related("user", "project").order_by(
        "user__full_name", "pk"
    )


def active_members(project: Project, **narrowed: Any) -> list[User]:
    """List the members who can sign in, by name."""
    members = members_of(project).filter(user__is_active=True, **narrowed)
    return [member.user for member in members]


def granted_people(thing: Restrictable) -> UserQuerySet:
    """List who was granted `thing` one by one, by name."""
    people = get_users_with_perms(
        thing,
        only_with_perms_in=[view_permission(type(thing))],
        with_group_users=False,
    )
    return cast("UserQuerySet", people).order_by("full_name", "pk")


def projects_at_work() -> dict[UUID, str]:
    """Find the projects in which something happened within the retention time.

    Nothing in the portal closes a project, so its silence says that it is over.
    """
    newest = AuditEvent.objects.filter(project_id=OuterRef("pk")).order_by("-event_id")
    projects = Project.objects.annotate(last=Subquery(newest.values("at")[:1]))
    return {
        project.pk: f"Project {project.name} is at work, so what is known of it stays."
        for project in projects.filter(last__gte=kept_since())
    }
