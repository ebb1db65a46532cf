"""The model card: computed from the record, never typed, except for what people say.

One dictionary with three faces: JSON, Markdown and HTML.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import markdown
import nh3
from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from apps.approvals import queries as approvals
from apps.registry import queries as registry
from apps.training import reading as regenerating
from apps.validation import queries as validation

if TYPE_CHECKING:
    from apps.registry.models import ModelVersion

FORMAT: Final = 1
TAGS: Final = {
    *("h1", "h2", "h3", "p", "ul", "ol", "li", "strong", "em", "br", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;"
    "padding:0 1rem;color:#1b1b1b}h1,h2{line-height:1.2;color:#0b1f33}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "th,td{border:1px solid #dfe1e2;padding:.375rem .625rem;text-align:left}"
    "th{background:#f0f3f6}p,td:last-child{overflow-wrap:anywhere}"
    "@media(max-width:40em){th,td{padding:.25rem;font-size:.8125rem}"
    "td{overflow-wrap:anywhere}}"
)
_STYLE_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest())
# For the document alone: no script, nothing from elsewhere, its own style only.
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST.decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def model_card(version: ModelVersion) -> dict[str, Any]:
    """Compute the card of `version` as plain JSON values.

    Nothing in it depends on when it is asked for, so the same record gives the same
    bytes.
    """
    card = {
        "format": FORMAT,
        **registry.card_record(version),
        "validation": validation.card_section(version),
        "approval": approvals.card_section(version),
        "regeneration": regenerating.card_section(version.run) if version.run else None,
    }
    plain: dict[str, Any] = json.loads(json.dumps(card, cls=DjangoJSONEncoder))
    return plain


def card_json(card: dict[str, Any]) -> str:
    """Write the card as JSON that people can read, too."""
    return json.dumps(card, indent=2, ensure_ascii=False) + "\n"


def card_markdown(card: dict[str, Any]) -> str:
    """Write the card as Markdown; text of people cannot become markup."""
    return render_to_string("home/card.md", {"card": card})


def card_html(card: dict[str, Any]) -> SafeString:
    """Write the card as a piece of HTML, sanitised once more."""
    html = markdown.markdown(card_markdown(card), extensions=["tables"])
    return mark_safe(nh3.clean(html, tags=TAGS))  # noqa: S308  # just cleaned


def card_document(card: dict[str, Any]) -> str:
    """Write the card as a whole HTML document that needs nothing else."""
    return render_to_string(
        "home/card_document.html",
        {
            "card": card,
            "content": card_html(card),
            "style": mark_safe(STYLE),  # noqa: S308  # a constant
        },
    )
