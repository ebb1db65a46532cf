"""Who may let somebody sign in their place, and who may end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.access.roles import ADMINISTRATOR, ROLES
from apps.approvals.models import NEVER_SIGNING
from apps.projects.queries import active_members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.accounts.models import User
    from apps.approvals.models import Delegation
    from apps.projects.models import Project


def can_delegate_signing(user: User, project: Project) -> Decision:
    """Say whether `user` may let somebody sign in their place: in their own role only.

    What was handed to them they cannot hand on: it gives them no role.
    """
    if ADMINISTRATOR.slug in user.agency_roles:
        return Denied("An administrator can never sign, so there is nothing to hand.")
    return permitted(user, Permission.APPROVAL_SIGN_OFF, project)


def can_stand_in(receiver: User, giver: User, project: Project) -> Decision:
    """Say whether `receiver` could sign in the place of `giver` at all."""
    name = receiver.full_name
    if receiver == giver:
        return Denied("Choose somebody else: you sign in your own place anyway.")
    if receiver not in active_members(project):
        return Denied(f"{name} is no active member of the project.")
    if barring := NEVER_SIGNING.intersection(receiver.agency_roles):
        titles = " and ".join(ROLES[slug].title.lower() for slug in sorted(barring))
        return Denied(f"{name} is {titles} and can never sign.")
    return ALLOWED


def can_revoke_delegation(user: User, delegation: Delegation) -> Decision:
    """Say whether `user` may end a delegation: who gave it, and program managers."""
    return revocable(user, delegation.project, [delegation])[0][1]


def revocable(
    user: User, project: Project, delegations: Sequence[Delegation]
) -> list[tuple[Delegation, Decision]]:
    """Say of each delegation of a project whether `user` may end it; one query."""
    manages = permitted(user, Permission.MEMBER_MANAGE, project)
    return [(one, _may_revoke(user, one, manages)) for one in delegations]


def _may_revoke(user: User, delegation: Delegation, manages: Decision) -> Decision:
    if delegation.standing in ("revoked", "over"):
        return NotNow(f"This delegation is {delegation.standing} already.")
    return ALLOWED if delegation.giver_id == user.pk else manages
