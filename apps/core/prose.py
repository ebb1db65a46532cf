"""Markdown of people, shown as HTML that can do nothing but be read."""

from __future__ import annotations

from typing import Final

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

MOST_CHARACTERS: Final = 20_000
# Titles of a text stand below those of the page it stands on.
_LOWER: Final = 2
_LOWEST: Final = 6
_TAGS: Final = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "pre", "code"),
    *("em", "strong", "s", "ul", "ol", "li", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}}
_READER: Final = MarkdownIt("commonmark", {"html": False}).enable(
    ["table", "strikethrough"]
)


def rendered(text: str) -> SafeString:
    """Show Markdown as HTML.

    Args:
        text: what somebody wrote; HTML in it is shown as text, pictures as their names.

    Returns:
        Sanitised markup, titles from level 3 on; of a text that is longer than
        `MOST_CHARACTERS`, its plain characters.
    """
    if len(text) > MOST_CHARACTERS:
        return format_html("<pre>{}</pre>", text)
    tokens = _READER.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + _LOWER, _LOWEST)}"
        for inner in token.children or []:
            if inner.type == "image":
                inner.type, inner.tag = "text", ""
    html = _READER.renderer.render(tokens, _READER.options, {})
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308  # just cleaned
