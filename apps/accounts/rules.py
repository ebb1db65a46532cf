"""Who may manage accounts and tokens."""

from __future__ import annotations

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.accounts.models import ApiToken, User, UserKind


def can_manage_accounts(user: User) -> Decision:
    """Say whether `user` may see and create accounts."""
    return permitted(user, Permission.ACCOUNT_MANAGE, None)


can_create_person = can_manage_accounts


def can_edit_person(user: User, person: User) -> Decision:
    """Say whether `user` may change the account `person`."""
    if person.kind == UserKind.SERVICE:
        return Denied("Service accounts belong to the portal and cannot be edited.")
    return can_manage_accounts(user)


def can_set_agency_roles(user: User, person: User) -> Decision:
    """Say whether `user` may give `person` agency roles; never to themselves."""
    if user.pk == person.pk:
        return Denied("You cannot change your own agency roles.")
    return can_edit_person(user, person)


def can_deactivate_person(user: User, person: User) -> Decision:
    """Say whether `user` may close the account `person`."""
    if user.pk == person.pk:
        return Denied("You cannot deactivate your own account.")
    if not person.is_active:
        return NotNow("This account is already deactivated.")
    return can_edit_person(user, person)


def can_sign_in(user: User) -> Decision:
    """Say whether an authenticated account may open a session in the browser."""
    if user.kind == UserKind.SERVICE:
        return Denied("Service accounts do not sign in.")
    return ALLOWED


def can_issue_token(user: User) -> Decision:
    """Say whether `user` may have API tokens."""
    if user.kind == UserKind.SERVICE:
        return Denied("Service accounts have no API tokens.")
    return ALLOWED


def can_revoke_token(user: User, token: ApiToken) -> Decision:
    """Say whether `user` may revoke `token`."""
    if token.user_id != user.pk:
        return Denied("Only its owner can revoke a token.")
    if token.revoked_at is not None:
        return NotNow("This token is already revoked.")
    return ALLOWED
