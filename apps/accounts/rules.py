"""Who may manage accounts and tokens."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.accounts.models import ApiToken, ErasureRequest, User, UserKind
from apps.audit.retention.holds import hold_on_person


def can_manage_accounts(user: User) -> Decision:
    """Say whether `user` may see and create accounts."""
    return permitted(user, Permission.ACCOUNT_MANAGE, None)


can_create_person = can_manage_accounts


def can_edit_person(user: User, person: User) -> Decision:
    """Say whether `user` may change the account `person`."""
    if person.erased_at is not None:
        return NotNow("Nothing is known of this person any more, so nothing changes.")
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


def can_see_erasures(user: User) -> Decision:
    """Say whether `user` may see who is to be erased."""
    return permitted(user, Permission.PERSON_ERASE, None)


def can_request_erasure(user: User, person: User) -> Decision:
    """Say whether `user` may ask that it be forgotten who `person` was."""
    if user.pk == person.pk:
        return Denied("You cannot ask for this yourself; ask another administrator.")
    open_request = ErasureRequest.objects.filter(person=person, status="waiting")
    if open_request.exists():
        return NotNow("This is asked for already and waits for a second person.")
    return can_see_erasures(user) and _can_be_forgotten(person)


def can_approve_erasure(user: User, erasure: ErasureRequest) -> Decision:
    """Say whether `user` is the second person, and nothing stands against it."""
    if user.pk == erasure.requested_by_id:
        return Denied("You asked for this, so another administrator must approve it.")
    if user.pk == erasure.person_id:
        return Denied("This is about you, so another administrator must approve it.")
    if not erasure.is_waiting:
        return NotNow("This request has been decided already.")
    return can_see_erasures(user) and _can_be_forgotten(erasure.person)


def can_withdraw_erasure(user: User, erasure: ErasureRequest) -> Decision:
    """Say whether `user` may end a request, be it their own or another's."""
    if not erasure.is_waiting:
        return NotNow("This request has been decided already.")
    return can_see_erasures(user)


def _can_be_forgotten(person: User) -> Decision:
    if person.kind == UserKind.SERVICE:
        return Denied("Service accounts are nobody, so there is nothing to erase.")
    if person.erased_at is not None:
        return NotNow("This person is erased already.")
    if person.is_active:
        return NotNow("Close the account first: nobody works under an erased name.")
    if hold := hold_on_person(person.pk):
        return NotNow(hold)
    duties = [duty for path in settings.ERASURE_DUTIES for duty in _asked(path, person)]
    return NotNow(" ".join(duties)) if duties else ALLOWED


def _asked(path: str, person: User) -> list[str]:
    found: list[str] = import_string(path)(person)
    return found
