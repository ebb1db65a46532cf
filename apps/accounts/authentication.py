"""How a program proves on whose behalf it asks."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from apps.accounts.models import ApiToken, TokenScope, User

TOKEN_PREFIX = "mlp_"  # noqa: S105  # recognisable by secret scanners
SHOWN_CHARACTERS = 10
NOT_USABLE = (
    "This token is unknown, expired or revoked. Issue a new one on your account page."
)
READS_ONLY = "This token may only read. Issue one with the scope read and write."
LOCKED_NAME_CHARACTERS = 255  # the column of django-axes


def new_secret() -> str:
    """Make a token's text: 256 random bits behind a recognisable prefix."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Digest a token; enough for 256 random bits, and fast to look up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_with(secret: str) -> ApiToken | None:
    """Find the usable token with this text, and note that it was used."""
    usable = ApiToken.objects.usable().select_related("user", "default_project")
    token = usable.filter(digest=digest(secret)).first()
    if token:
        ApiToken.objects.note_use(token, timezone.now())
    return token


def locked_name(request: HttpRequest, credentials: Mapping[str, str] | None) -> str:
    """Name the account that wrong passwords count against, however it is spelled."""
    return (credentials or {}).get("username", "").lower()[:LOCKED_NAME_CHARACTERS]


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <token>`; the token asks what its owner may ask."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = authentication.get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:  # noqa: PLR2004
            raise exceptions.AuthenticationFailed(
                "Send the header as: Authorization: Bearer <token>."
            )
        token = token_with(words[1].decode("ascii", errors="replace"))
        if token is None:
            raise exceptions.AuthenticationFailed(NOT_USABLE)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class PortalSessionAuthentication(authentication.SessionAuthentication):
    """The browser's session, for the API's own page; CSRF is checked."""

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenScopeAllows(permissions.BasePermission):
    """Signed in, and a token that only reads changes nothing."""

    message = READS_ONLY

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            raise exceptions.NotAuthenticated(
                "Sign in, or send a token as: Authorization: Bearer <token>."
            )
        token = request.auth
        if not isinstance(token, ApiToken):
            return True
        return request.method in permissions.SAFE_METHODS or (
            token.scope == TokenScope.WRITE
        )
