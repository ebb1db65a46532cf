"""The questions every rule is built from. Nothing else asks about roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.access.permissions import Permission
from apps.access.roles import ROLES, Reach, Role, titles
from apps.core.errors import Refused, WrongState

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.projects.models import Project


@dataclass(frozen=True)
class Decision:
    """Allowed, or not with the reason in one sentence. True when allowed."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


class Denied(Decision):
    """Not this person."""

    def __init__(self, reason: str):
        super().__init__(allowed=False, reason=reason)


class NotNow(Decision):
    """Not in the present state of the object, whoever asks."""

    def __init__(self, reason: str):
        super().__init__(allowed=False, reason=reason)


ALLOWED = Decision(allowed=True)


def ensure(decision: Decision) -> None:
    """Go on only when the rule said yes.

    Raises:
        Refused: the person may not.
        WrongState: nobody may, now.
    """
    if decision.allowed:
        return
    if isinstance(decision, NotNow):
        raise WrongState(decision.reason)
    raise Refused(decision.reason)


def roles_of(user: User, project: Project | None) -> list[Role]:
    """List the roles that count for `user` in `project`, or outside of any project."""
    if not user.is_active:
        return []
    held = [ROLES[slug] for slug in user.agency_roles]
    if project is None:
        return held
    counting = [role for role in held if role.reach == Reach.AGENCY]
    member = project.memberships.filter(user=user).first()
    return [*counting, ROLES[member.role]] if member else counting


def has_permission(user: User, permission: Permission, project: Project | None) -> bool:
    """Say whether one of the roles of `user` permits this.

    Args:
        user: who asks.
        permission: what for.
        project: where; None for what belongs to no project.
    """
    return any(permission in role.permissions for role in roles_of(user, project))


def permitted(user: User, permission: Permission, project: Project | None) -> Decision:
    """Answer `has_permission` as a decision that names the roles which may."""
    if has_permission(user, permission, project):
        return ALLOWED
    where = "" if project is None else " of this project"
    return Denied(f"Only {titles(permission)}{where} can do this.")


def has_agency_permission(user: User, permission: Permission) -> bool:
    """Say whether an agency role permits this in every project."""
    return user.is_active and any(
        permission in ROLES[slug].permissions
        for slug in user.agency_roles
        if ROLES[slug].reach == Reach.AGENCY
    )


def project_roles_with(permission: Permission) -> list[str]:
    """List the slugs of the project roles that permit this, for a query."""
    return [
        role.slug
        for role in ROLES.values()
        if role.reach == Reach.PROJECT and permission in role.permissions
    ]
