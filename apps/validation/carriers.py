"""The files in which a finished report is carried away: HTML, PDF and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import typst
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.text import slugify

from apps.core.digests import canonical_text
from apps.validation.around import around
from apps.validation.brief import brief
from apps.validation.document import report_document, told
from apps.validation.full import bounded, sections

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.validation.models import ValidationReport

Json = dict[str, Any]
# With template and style, an HTML file stays below 3 MB, and a PDF takes a second.
HTML_BYTES: Final = 2_600_000
HTML_ROWS: Final = 200
PDF_BYTES: Final = 600_000
PDF_ROWS: Final = 40
STYLE: Final = (settings.BASE_DIR / "static/css/report.css").read_text()
_ACCESSIBLE: Final = "ua-1"  # PDF/UA, ISO 14289-1


@dataclass(frozen=True)
class ReportFile:
    """A report as a file.

    Attributes:
        name: letters, digits, dots and hyphens.
        digest: of the report's document, which is in every form.
    """

    name: str
    media_type: str
    content: bytes
    digest: str


def report_file(report: ValidationReport, form: str, *, viewer: User) -> ReportFile:
    """Write both faces of `report` as `html`, `pdf` or `json`.

    Raises:
        KeyError: there is no such form.
        WrongState: the report is not finished.
    """
    media_type, write = FORMS[form]
    document = report_document(report)
    content = write(document, report, viewer)
    return ReportFile(_name(report, form), media_type, content, document["digest"])


def _name(report: ValidationReport, form: str) -> str:
    version = report.version
    model = slugify(version.model.name)[:60] or "model"
    return f"validation-{model}-{version.number}-report-{report.number}.{form}"


def _json(document: Json, _report: ValidationReport, _viewer: User) -> bytes:
    return canonical_text(document).encode()


def _html(document: Json, report: ValidationReport, viewer: User) -> bytes:
    read, scene = told(document), around(report, viewer=viewer, at=timezone.now())
    drawn = bounded(
        sections(read, scene),
        most_bytes=HTML_BYTES,
        most_rows=HTML_ROWS,
        font="sans-serif",
    )
    context = {
        "brief": brief(read, scene),
        "sections": drawn,
        "style": mark_safe(STYLE),  # noqa: S308  # a file of ours
    }
    return render_to_string("validation/report_file.html", context).encode()


def _pdf(document: Json, report: ValidationReport, viewer: User) -> bytes:
    """Print it, tagged for accessibility; texts reach it as data, never as markup."""
    read, scene = told(document), around(report, viewer=viewer, at=timezone.now())
    drawn = bounded(
        sections(read, scene),
        most_bytes=PDF_BYTES,
        most_rows=PDF_ROWS,
        font="Libertinus Serif",
    )
    data = {"brief": brief(read, scene), "sections": drawn}
    template = resources.files("apps.validation").joinpath("report.typ")
    pdf: bytes = typst.compile(
        template.read_bytes(),
        format="pdf",
        pdf_standards=[_ACCESSIBLE],
        sys_inputs={"data": json.dumps(data)},
        timestamp=int(scene.at.timestamp()),
        ignore_system_fonts=True,
    )
    return pdf


FORMS: Final[dict[str, tuple[str, Callable[[Json, Any, Any], bytes]]]] = {
    "html": ("text/html; charset=utf-8", _html),
    "pdf": ("application/pdf", _pdf),
    "json": ("application/json", _json),
}
