"""API tokens: issued and revoked by their owner."""

from __future__ import annotations

from datetime import timedelta

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
def issue_token(*, name: str, scope: str, days: int, by: User) -> tuple[ApiToken, str]:
    """Issue an API token to `by`.

    Args:
        name: what it is for.
        scope: read or write.
        days: until it expires, 1 to 365.
        by: its owner.

    Returns:
        The token and its secret, which is shown once and not kept.

    Raises:
        Invalid: unknown scope or too long a life.
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
    secret = new_secret()
    token = ApiToken.objects.create(
        user=by,
        name=name,
        scope=scope,
        prefix=secret[:SHOWN_CHARACTERS],
        digest=digest(secret),
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(
        EventType.TOKEN_ISSUED,
        target=token,
        project=None,
        by=by,
        changes={"scope": scope, "days": days},
    )
    return token, secret


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
