"""Typed requests, and the few answers every app gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
)
from django.shortcuts import render, resolve_url
from django.utils.http import content_disposition_header
from django_htmx.http import HttpResponseClientRedirect

from apps.core import blobs

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from apps.accounts.models import User


class HtmxRequest(HttpRequest):
    """A request of a signed-in person, with htmx's details."""

    htmx: HtmxDetails
    user: User  # views are behind login_required


def wants_fragment(request: HttpRequest) -> bool:
    """Say whether htmx asked for a part of the page, not for the whole."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted


def redirect_after_success(
    request: HttpRequest, to: Any, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Send the browser on after a change, with or without htmx."""
    address = resolve_url(to, *args, **kwargs)
    if wants_fragment(request):
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def render_form(
    request: HttpRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    """Render a page with its form: 422 when the form was sent and found invalid."""
    status = 422 if context["form"].errors else 200
    return render(request, template, context, status=status)


def send_blob(
    sha256: str, *, name: str, media_type: str, shelf: str = ""
) -> FileResponse:
    """Stream a stored file as an attachment; browsers never show it in our name."""
    return FileResponse(
        blobs.open_blob(sha256, shelf=shelf),
        as_attachment=True,
        filename=name,
        content_type=media_type,
        headers={"ETag": f'"{sha256}"', "Cache-Control": "private, no-cache"},
    )


def send_bytes(content: bytes, *, name: str, media_type: str) -> HttpResponse:
    """Send a small file as an attachment; browsers never show it in our name."""
    return HttpResponse(
        content,
        content_type=media_type,
        headers={
            "Content-Disposition": content_disposition_header(True, name) or "",
            "Cache-Control": "private, no-cache",
        },
    )


def send_text(text: str, *, name: str, media_type: str) -> HttpResponse:
    """Send a text as an attachment; browsers never show it in our name."""
    media_type = f"{media_type}; charset=utf-8"
    return send_bytes(text.encode(), name=name, media_type=media_type)
