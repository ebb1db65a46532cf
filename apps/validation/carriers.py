"""The files in which a finished report is carried away: HTML, PDF and JSON."""

from __future__ import annotations

import json
import re
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
PDF_BYTES: Final = 400_000
PDF_ROWS: Final = 40
STYLE: Final = (settings.BASE_DIR / "static/css/report.css").read_text()
_WHOLE: Final = ("digest", "svg", "slug", "kind")
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_LONG_WORD: Final = re.compile(r"\S{16}(?=\S)")
_FEW_COLUMNS: Final = 2
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
    data = _printable({"brief": brief(read, scene), "sections": drawn})
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


def _printable(value: Any, columns: int = 1) -> Any:
    """Let long words break, and shorten digests where many columns share a line."""
    match value:
        case dict():
            columns = len(value.get("columns", ()))
            return {
                key: one if key in _WHOLE else _printable(one, columns)
                for key, one in value.items()
            }
        case list():
            return [_printable(one, columns) for one in value]
        case str() if _DIGEST.fullmatch(value):
            return f"{value[:16]}…" if columns > _FEW_COLUMNS else value
        case str():
            return _LONG_WORD.sub(lambda run: f"{run[0]}\N{ZERO WIDTH SPACE}", value)
    return value


FORMS: Final[dict[str, tuple[str, Callable[[Json, Any, Any], bytes]]]] = {
    "html": ("text/html; charset=utf-8", _html),
    "pdf": ("application/pdf", _pdf),
    "json": ("application/json", _json),
}
