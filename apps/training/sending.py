"""Answers that are files, for pages and API alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from apps.core.http import send_bytes
from apps.training.bundles import Bundle, pieces
from apps.training.certificates import certificate_file, file_name

if TYPE_CHECKING:
    from apps.training.models import Regeneration

ZIP = "application/zip"


def bundle_answer(bundle: Bundle) -> StreamingHttpResponse:
    """Send a bundle while it is written."""
    headers = {
        "Content-Disposition": content_disposition_header(True, bundle.name) or "",
        "Cache-Control": "private, no-cache",
    }
    return StreamingHttpResponse(pieces(bundle), content_type=ZIP, headers=headers)


def certificate_answer(found: Regeneration) -> HttpResponse:
    """Send a certificate with the proof of its event.

    Raises:
        NotSealed: there is none, or its event waits for the sealer.
    """
    content = certificate_file(found)
    return send_bytes(content, name=file_name(found), media_type=ZIP)
