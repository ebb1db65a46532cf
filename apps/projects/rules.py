"""Who may shape a project, and who sees the restricted things in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.access.roles import PROGRAM_MANAGER
from apps.projects import queries
from apps.projects.models import Membership, Project, Restrictable
from apps.projects.queries import active_members

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


can_state_objective = can_set_code_policy = can_edit_project


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


def sees(user: User, thing: Restrictable, who: str = "You") -> Decision:
    """Say whether `thing` is not hidden from `user`, who may be somebody else."""
    if not thing.is_restricted:
        return ALLOWED
    if type(thing).objects.visible_to(user).filter(pk=thing.pk).exists():
        return ALLOWED
    return Denied(
        f"{who} cannot see this restricted {thing.sharing.noun} without being given "
        "access."
    )


def can_take_duty(user: User, thing: Restrictable) -> Decision:
    """Say whether a duty about `thing` can be laid on `user`: they must see it."""
    if user not in active_members(thing.project):
        return Denied(f"{user.full_name} is no active member of the project.")
    return sees(user, thing, user.full_name)


def permitted_with(user: User, permission: Permission, thing: Restrictable) -> Decision:
    """Say whether a role of `user` permits this and `thing` is not hidden."""
    return permitted(user, permission, thing.project) and sees(user, thing)


def can_restrict(user: User, thing: Restrictable) -> Decision:
    """Say whether `user` may hide `thing` from members without a grant."""
    decision = permitted_with(user, thing.sharing.permission, thing)
    if decision and thing.is_restricted:
        return NotNow(f"This {thing.sharing.noun} is restricted already.")
    return decision


def can_open_to_members(user: User, thing: Restrictable) -> Decision:
    """Say whether `user` may show `thing` to all members."""
    decision = permitted_with(user, thing.sharing.permission, thing)
    if decision and not thing.is_restricted:
        return NotNow(f"This {thing.sharing.noun} is open to all members already.")
    if decision and (reason := thing.reason_to_stay_restricted()):
        return NotNow(reason)
    return decision


def can_grant(user: User, thing: Restrictable) -> Decision:
    """Say whether `user` may show `thing` to single people.

    While it is open that makes sense only where outsiders can be shown it.
    """
    decision = permitted_with(user, thing.sharing.permission, thing)
    if decision and not (thing.is_restricted or thing.sharing.with_outsiders):
        noun = thing.sharing.noun
        return NotNow(f"All members see this {noun}; restrict it first.")
    return decision


def can_revoke_grant(user: User, thing: Restrictable, person: User) -> Decision:
    """Say whether `user` may take the access of `person` away; never their own."""
    return can_grant(user, thing) and _somebody_else(user, person)


def grants_of(user: User, thing: Restrictable) -> list[tuple[User, Decision]]:
    """Pair who was granted `thing` with whether `user` may take it back."""
    may_grant = can_grant(user, thing)
    return [
        (person, may_grant and _somebody_else(user, person))
        for person in queries.granted_people(thing)
    ]


def _somebody_else(user: User, person: User) -> Decision:
    if user.pk == person.pk:
        return Denied("You cannot withdraw your own access; somebody else can.")
    return ALLOWED
