"""What every page knows about the portal."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, Any]:
    """Give the mode, the banner and the version."""
    return {
        "portal": {
            "mode": settings.PORTAL_MODE,
            "banner": settings.SITE_BANNER,
            "version": settings.PORTAL_VERSION,
        }
    }
