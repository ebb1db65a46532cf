"""Put text of people into Markdown so that it stays text."""

import re
from typing import Final

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_ENTITIES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "~": "&#126;", "=": "&#61;"}
)
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]|])")
# What makes a heading, a list or a rule where a line begins.
_LINE_START: Final = re.compile(r"^(?:([#+-])|(\d+)([.)])(?=\s|$))", re.MULTILINE)


@register.filter
def md(value: object) -> SafeString:
    """Escape a value for one line of Markdown, such as a cell of a table."""
    return _escaped(" ".join(str(value).split()))


@register.filter
def md_text(value: str) -> SafeString:
    """Escape a text of several paragraphs for Markdown; line breaks stay."""
    lines = (" ".join(line.split()) for line in value.splitlines())
    return _escaped("\n".join(lines))


def _escaped(text: str) -> SafeString:
    escaped = _SPECIAL.sub(r"\\\1", text.translate(_ENTITIES))
    escaped = _LINE_START.sub(_behind_backslash, escaped)
    return mark_safe(escaped)  # noqa: S308  # every special character is escaped


def _behind_backslash(start: re.Match[str]) -> str:
    mark, digits, point = start.groups()
    return f"\\{mark}" if mark else f"{digits}\\{point}"
