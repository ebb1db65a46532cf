"""The public summary of active waivers as a file, for pages and API alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.http import Http404
from django.utils import timezone

from apps.approvals.exception_queries import public_rows
from apps.approvals.practices import framework
from apps.core.csv_cells import csv_text
from apps.core.http import send_bytes

if TYPE_CHECKING:
    from django.http import HttpResponse

    from apps.approvals.models.waivers import WaiverQuerySet

COLUMNS = {
    "use_case": "Use Case Name",
    "practice": "Minimum Practice",
    "answer": "Answer in the Inventory",
    "ground": "Ground of the Waiver",
    "justification": "Summary and Justification",
    "granted_on": "Granted on",
    "expires_on": "Last Day",
}
# As the files of the inventory: spreadsheets read it as Unicode by this mark.
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def summary_answer(waivers: WaiverQuerySet, ending: str) -> HttpResponse:
    """Send what the public reads of the active ones of `waivers`: `csv` or `json`.

    Raises:
        Http404: for another ending.
    """
    if ending not in ("csv", "json"):
        raise Http404
    rows = public_rows(waivers.active().with_story().order_by("project__slug", "pk"))
    name = f"waivers-{timezone.localdate().isoformat()}.{ending}"
    if ending == "json":
        known = framework()
        content = {
            "framework": f"{known.name} version {known.version}",
            "as_of": timezone.localdate().isoformat(),
            "waivers": rows,
        }
        text = json.dumps(content, ensure_ascii=False, indent=2)
        return send_bytes(text.encode(), name=name, media_type="application/json")
    table = csv_text([tuple(COLUMNS.values()), *(tuple(row.values()) for row in rows)])
    content_bytes = f"{BYTE_ORDER_MARK}{table}".encode()
    return send_bytes(content_bytes, name=name, media_type="text/csv; charset=utf-8")
