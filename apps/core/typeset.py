"""Accessible PDF, typeset from a template and plain data."""

from __future__ import annotations

import json
from datetime import datetime
from importlib import resources
from typing import Any, Final

import typst

ACCESSIBLE: Final = "ua-1"  # PDF/UA, ISO 14289-1


def typeset(package: str, template: str, data: Any, *, at: datetime) -> bytes:
    """Fill a template and give the PDF, tagged for accessibility.

    Texts of people reach the template as data, never as markup.

    Args:
        package: that holds the template.
        template: name of a file of Typst.
        data: plain JSON values, `sys.inputs.data` of the template.
        at: the time that the file says it was made at.
    """
    pdf: bytes = typst.compile(
        resources.files(package).joinpath(template).read_bytes(),
        format="pdf",
        pdf_standards=[ACCESSIBLE],
        sys_inputs={"data": json.dumps(data)},
        timestamp=int(at.timestamp()),
        ignore_system_fonts=True,
    )
    return pdf
