"""API tokens: issued and revoked by their owner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.accounts import rules
from apps.accounts.authentication import SHOWN_CHARACTERS, digest, new_secret
from apps.accounts.models import ApiToken, TokenScope, User
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid

MAX_TOKEN_DAYS = 365


@transaction.atomic
def issue_token(
    *, name: str, scope: str, days: int, by: User, default_project: str = ""
) -> tuple[ApiToken, str]:
    """Issue an API token to `by`.

    Args:
        name: what it is for.
        scope: read or write.
        days: until it expires, 1 to 365.
        by: its owner.
        default_project: slug of the project in which tools that know no projects look
            for names; `by` is a member of it. Empty for none.

    Returns:
        The token and its secret, which is shown once and not kept.

    Raises:
        Invalid: unknown scope or project, or too long a life.
        Refused: service accounts have none.
    """
    ensure(rules.can_issue_token(by))
    if scope not in TokenScope.values:
        raise Invalid("Choose read or write.", fields={"scope": "Unknown scope."})
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise Invalid(
            f"A token lives 1 to {MAX_TOKEN_DAYS} days.",
            fields={"days": "Out of range."},
        )
    project = _own_project(default_project, by) if default_project else None
    secret = new_secret()
    token = ApiToken.objects.create(
        user=by,
        name=name,
        scope=scope,
        prefix=secret[:SHOWN_CHARACTERS],
        digest=digest(secret),
        expires_at=timezone.now() + timedelta(days=days),
        default_project=project,
    )
    record(
        EventType.TOKEN_ISSUED,
        target=token,
        project=None,
        by=by,
        changes={"scope": scope, "days": days}
        | ({"default_project": default_project} if project else {}),
    )
    return token, secret


def _own_project(slug: str, by: User) -> Any:
    """Find a project over the membership: projects stand above this app."""
    members = by.memberships.select_related("project")
    member = members.filter(project__slug=slug).first()
    if member is None:
        raise Invalid(
            f"You are a member of no project named {slug[:60]}.",
            fields={"default_project": "Choose one of your projects."},
        )
    return member.project


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User) -> ApiToken:
    """Make a token useless at once.

    Raises:
        Refused: it belongs to somebody else.
        WrongState: it is revoked already.
    """
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    ensure(rules.can_revoke_token(by, token))
    token.revoked_at = timezone.now()
    token.save()
    record(EventType.TOKEN_REVOKED, target=token, project=None, by=by)
    return token
