"""What every page knows about the portal and about who reads it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.home.inbox import count_of_news


def portal(request: HttpRequest) -> dict[str, Any]:
    """Give the mode, the banner, the version, and how much in the inbox is news."""
    return {
        "portal": {
            "mode": settings.PORTAL_MODE,
            "banner": settings.SITE_BANNER,
            "version": settings.PORTAL_VERSION,
        },
        # Counted only where a template shows it, and once per page.
        "inbox_count": SimpleLazyObject(lambda: _inbox_count(request)),
    }


def _inbox_count(request: HttpRequest) -> int:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return 0
    return count_of_news(user)
