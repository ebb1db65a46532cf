"""Who may shape a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, Denied, permitted
from apps.access.permissions import Permission
from apps.access.roles import PROGRAM_MANAGER
from apps.projects.models import Membership, Project

if TYPE_CHECKING:
    from apps.accounts.models import User


def can_create_project(user: User) -> Decision:
    """Say whether `user` may open a project."""
    if permitted(user, Permission.PROJECT_CREATE, None):
        return ALLOWED
    return Denied(
        "Only a program manager can open a project. An administrator gives that role."
    )


def can_edit_project(user: User, project: Project) -> Decision:
    """Say whether `user` may change name and mission."""
    return permitted(user, Permission.PROJECT_EDIT, project)


can_state_objective = can_edit_project


def can_determine_impact(user: User, project: Project) -> Decision:
    """Say whether `user` may determine the impact of the use."""
    return permitted(user, Permission.PROJECT_DETERMINE_IMPACT, project)


def can_manage_members(user: User, project: Project) -> Decision:
    """Say whether `user` may see the controls of the members page."""
    return permitted(user, Permission.MEMBER_MANAGE, project)


can_add_member = can_manage_members


def can_change_role(user: User, membership: Membership) -> Decision:
    """Say whether `user` may give this member another role."""
    if membership.user_id == user.pk:
        return Denied("You cannot change your own role; another program manager can.")
    return can_manage_members(user, membership.project)


def can_remove_member(user: User, membership: Membership) -> Decision:
    """Say whether `user` may remove this member."""
    if _is_last_program_manager(membership):
        return Denied("A project keeps at least one program manager.")
    return can_manage_members(user, membership.project)


def _is_last_program_manager(membership: Membership) -> bool:
    if membership.role != PROGRAM_MANAGER.slug:
        return False
    others = membership.project.memberships.exclude(pk=membership.pk)
    return not others.filter(role=PROGRAM_MANAGER.slug).exists()
