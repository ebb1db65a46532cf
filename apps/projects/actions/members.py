"""Who works in a project, and in which role."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from guardian.shortcuts import remove_perm

from apps.access.checks import ensure
from apps.access.grants import view_permission
from apps.access.roles import PROJECT_ROLES
from apps.accounts.models import User
from apps.audit.event_types import EventType
from apps.audit.record import difference, personal, record
from apps.core.errors import Invalid
from apps.projects import rules
from apps.projects.models import Membership, Project, Restrictable


@transaction.atomic
def add_member(*, project: Project, person: User, role: str, by: User) -> Membership:
    """Make `person` a member in one role.

    Raises:
        Invalid: unknown role, or a member already.
        Refused: only the program manager may.
    """
    project = Project.objects.select_for_update().get(pk=project.pk)
    ensure(rules.can_add_member(by, project))
    _check_role(role)
    if not User.objects.people().filter(pk=person.pk).exists():
        raise Invalid(
            "Only active accounts of people can be members.",
            fields={"email": "Not an active person."},
        )
    if project.memberships.filter(user=person).exists():
        raise Invalid(
            f"{person.full_name} is a member already.",
            fields={"email": "Already a member; change the role instead."},
        )
    membership = Membership.objects.create(project=project, user=person, role=role)
    record(
        EventType.MEMBER_ADDED,
        target=project,
        project=project,
        by=by,
        changes={**_whom(person), "role": [None, role]},
    )
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: str, by: User) -> Membership:
    """Give a member another role.

    Raises:
        Invalid: unknown role, or nobody would be left as program manager.
        Refused: only the program manager may, and never for themselves.
    """
    membership = _locked(membership)
    ensure(rules.can_change_role(by, membership))
    _check_role(role)
    changes = difference({"role": membership.role}, {"role": role})
    if changes:
        membership.role = role
        membership.save()
        record(
            EventType.MEMBER_ROLE_CHANGED,
            target=membership.project,
            project=membership.project,
            by=by,
            changes={**_whom(membership.user), **changes},
        )
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, by: User) -> None:
    """End a membership; what the person did stays, what they were shown ends.

    Raises:
        Refused: only the program manager may, and one always remains.
    """
    membership = _locked(membership)
    ensure(rules.can_remove_member(by, membership))
    record(
        EventType.MEMBER_REMOVED,
        target=membership.project,
        project=membership.project,
        by=by,
        changes={**_whom(membership.user), "role": [membership.role, None]},
    )
    for kind in Restrictable.__subclasses__():
        things = kind.objects.filter(project=membership.project)
        remove_perm(view_permission(kind), membership.user, things)
    membership.delete()


def _whom(person: User) -> dict[str, Any]:
    """Tell of a member by name, which can be erased, and by id, which stays."""
    return {"member": personal(person), "member_id": str(person.pk)}


def _locked(membership: Membership) -> Membership:
    # The project row serialises all changes of its members.
    Project.objects.select_for_update().get(pk=membership.project_id)
    return Membership.objects.select_related("project", "user").get(pk=membership.pk)


def _check_role(role: str) -> None:
    if role not in {known.slug for known in PROJECT_ROLES}:
        raise Invalid(
            f"{role!r} is not a role in a project.", fields={"role": "Unknown role."}
        )
