"""Answers that are files, for pages and API alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse

from apps.approvals.record_files import file_name, record_pdf, record_zip
from apps.core.http import send_bytes

if TYPE_CHECKING:
    from apps.approvals.models import ApprovalRequest

# Ending of the file -> its media type, and what writes it.
_WRITERS = {
    "pdf": ("application/pdf", record_pdf),
    "zip": ("application/zip", record_zip),
}


def record_answer(approval: ApprovalRequest, ending: str) -> HttpResponse:
    """Send the sign-off record of a request as a file: `pdf` or `zip`.

    Raises:
        Http404: for another ending.
        NotSealed: the event of a signature waits for the sealer.
        WrongState: nobody signed.
    """
    if ending not in _WRITERS:
        raise Http404
    media_type, write = _WRITERS[ending]
    name = f"{file_name(approval)}.{ending}"
    return send_bytes(write(approval), name=name, media_type=media_type)
