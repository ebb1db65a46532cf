"""Template tags and filters of the portal's look.

Block tags wrap content in a component (`page_header`, `card`, `table`); filters
turn plain values into text or into the numbers a small drawing needs.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

from django import template
from django.middleware.csrf import get_token
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince

from apps.core.prose import rendered
from apps.core.status import KIND_OF_STATE, Kind

register = template.Library()

_ICONS: Final = {
    Kind.NEUTRAL: "remove_circle",
    Kind.INFO: "info",
    Kind.SUCCESS: "check_circle",
    Kind.WARNING: "warning",
    Kind.ERROR: "error",
}
_BUTTONS: Final = {
    "primary": "usa-button",
    "outline": "usa-button usa-button--outline",
    "danger": "usa-button usa-button--secondary",
}
_GROUPED: Final = 1e15  # from here on digits tell less than powers of ten
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_SPANS: Final = (
    (_DAY, "d", _HOUR, "h"),
    (_HOUR, "h", _MINUTE, "min"),
    (_MINUTE, "min", 1, "s"),
)
_PLOT_WIDTH: Final = 100.0
_PLOT_HEIGHT: Final = 24.0


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one icon of the USWDS sprite, hidden from screen readers."""
    return format_html(
        '<svg class="usa-icon" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>',
        static("uswds/img/sprite.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def csrf_field(context: Context) -> SafeString:
    """Give the hidden CSRF input; unlike `csrf_token` also inside `include … only`."""
    request = getattr(context, "request", None)
    if request is None:
        return SafeString("")
    return format_html(
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">',
        get_token(request),
    )


@register.simple_tag
def button_class(style: str = "primary") -> str:
    """Give the classes of a button: primary, outline or danger."""
    return _BUTTONS[style or "primary"]


@register.simple_tag
def stable_id(prefix: str, *parts: object) -> str:
    """Give an HTML id that is the same whenever the parts are."""
    return f"{prefix}-{crc32(repr(parts).encode()):08x}"


@register.inclusion_tag("components/nav_link.html", takes_context=True)
def nav_link(
    context: Context, name: str, label: str, *, count: int | None = None, also: str = ""
) -> dict[str, Any]:
    """Link to a page by URL name, marked when the reader is in its section.

    Args:
        context: of the page.
        name: of the URL; a name that does not exist shows nothing.
        label: the text.
        count: badge, shown when above 0.
        also: first parts of other addresses in the section, parted by spaces.
    """
    try:
        url = reverse(name)
    except NoReverseMatch:
        return {}
    path = getattr(getattr(context, "request", None), "path", "")
    sections = [url, *(f"/{part}/" for part in also.split())]
    current = path == url or any(path.startswith(s) for s in sections if s != "/")
    return {"url": url, "label": label, "current": current, "count": count}


@register.inclusion_tag("components/figure.html")
def figure(figure: dict[str, Any], *, live: bool = False) -> dict[str, Any]:
    """Show a figure made by `apps.core.figures`.

    Args:
        figure: what to draw.
        live: it stands in a part of the page that is fetched again and again; the
            drawing stays and takes the new numbers.
    """
    return {"figure": figure, "live": live}


@register.simple_block_tag
def page_header(content: str, title: str, eyebrow: str = "", lead: str = "") -> str:
    """Head the page; the content stands at the right."""
    variables = {"content": content, "title": title, "eyebrow": eyebrow, "lead": lead}
    return render_to_string("components/page_header.html", variables)


@register.simple_block_tag
def card(
    content: str, title: str = "", url: str = "", eyebrow: str = "", level: int = 2
) -> str:
    """Put the content in a box."""
    variables = {
        "content": content,
        "title": title,
        "url": url,
        "eyebrow": eyebrow,
        "level": level,
    }
    return render_to_string("components/card.html", variables)


@register.simple_block_tag
def table(
    content: str, caption: str, show_caption: bool = False, stacked: bool = False
) -> str:
    """Make a captioned table of the content, which scrolls by itself."""
    variables = {
        "content": content,
        "caption": caption,
        "show_caption": show_caption,
        "stacked": stacked,
    }
    return render_to_string("components/table.html", variables)


@register.simple_tag
def moment(at: datetime | None) -> SafeString:
    """Show a point in time in UTC, to the minute; the title says the second."""
    if at is None:
        return SafeString("–")
    utc = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{utc.day} {utc:%B %Y, %H:%M:%S} UTC",
        f"{utc.day} {utc:%b %Y, %H:%M} UTC",
    )


@register.filter
def ratio(value: float | str | None, digits: int = 1) -> str:
    """Write a ratio as a percentage: 0.123 becomes 12.3 %; missing becomes a dash."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    return f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


@register.filter
def number(value: object, digits: int = 4) -> object:
    """Write a number with grouped thousands and `digits` significant digits.

    The largest are written by powers of ten: 1e308 has more digits than a page has room
    for. Anything that is not a number is returned as it came.
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float() if not math.isfinite(value):
            return "–"
        case float() if 10 ** (digits - 1) <= abs(value) < _GROUPED:
            return f"{value:,.0f}"
        case float():
            return f"{value:.{digits}g}"
    return value


@register.filter
def measured(value: float, digits: int = 5) -> object:
    """Write what was measured; what is no number or infinite says so."""
    if math.isnan(value):
        return "not a number (NaN)"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    return number(value, digits)


@register.filter
def prose(text: str) -> SafeString:
    """Show Markdown that somebody wrote, sanitised."""
    return rendered(text)


@register.filter
def short_digest(value: str) -> str:
    """Shorten a SHA-256 digest to its first 12 digits."""
    return value[:12]


@register.filter
def since(at: datetime | None) -> str:
    """Say how long ago something happened, in its largest unit."""
    if at is None:
        return "–"
    elapsed = timesince(at, depth=1)
    return "just now" if elapsed.startswith("0") else f"{elapsed} ago"


@register.filter
def seconds(value: float | None) -> str:
    """Write how long something took, in its two largest units: 95.2 is "1 min 35 s"."""
    if value is None or value < 0:
        return "–"
    if value < _MINUTE:
        return f"{value:.1f} s"
    whole = round(value)
    for size, name, smaller, small_name in _SPANS:
        if whole >= size:
            return f"{whole // size} {name} {whole % size // smaller} {small_name}"
    return f"{whole} s"


@register.filter
def initials(name: str) -> str:
    """Give the first letters of the first and last name."""
    words = name.split()
    return "".join(word[0].upper() for word in (words[:1] + words[1:][-1:]))


@register.filter
def state_label(state: str) -> str:
    """Write a stored state as a person would: `in_review` becomes "In review"."""
    return str(state).replace("_", " ").capitalize()


@register.filter
def status_kind(state: str) -> str:
    """Give the kind of badge for a stored state; unknown states are neutral."""
    return KIND_OF_STATE.get(str(state), Kind.NEUTRAL)


@register.filter
def kind_icon(kind: str) -> str:
    """Give the icon that goes with a kind of badge."""
    return _ICONS[Kind(kind)]


@register.filter
def change_lines(changes: dict[str, Any]) -> list[dict[str, str]]:
    """Turn the changes of an audit event into lines; `before` is empty for a fact."""
    lines = [
        {"field": state_label(field), **_sides(value)}
        for field, value in changes.items()
    ]
    return [line for line in lines if line["before"] != line["after"]]


def _sides(value: object) -> dict[str, str]:
    match value:
        case [before, after]:
            return {"before": _brief(before), "after": _brief(after)}
        case _:
            return {"before": "", "after": _brief(value)}


def _brief(value: object) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return Truncator(text).chars(120)


@register.filter
def histogram_bars(counts: Sequence[float]) -> list[dict[str, str]]:
    """Turn counts into rectangles in a box of 100 × 24; empty bins keep a hairline."""
    if not counts:
        return []
    highest = max(counts) or 1
    step = _PLOT_WIDTH / len(counts)
    return [
        _rectangle(position * step, step * 0.84, count / highest)
        for position, count in enumerate(counts)
    ]


def _rectangle(x: float, width: float, share: float) -> dict[str, str]:
    height = max(0.5, share * _PLOT_HEIGHT)
    sizes = {"x": x, "y": _PLOT_HEIGHT - height, "width": width, "height": height}
    return {name: f"{size:.2f}" for name, size in sizes.items()}


@register.filter
def sparkline_points(values: Sequence[float]) -> str:
    """Turn values into the points of a line in a box of 100 × 24."""
    if not values:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = _PLOT_WIDTH / max(1, len(values) - 1)
    margin, room = 2, _PLOT_HEIGHT - 4
    return " ".join(
        f"{position * step:.1f},{margin + room * (1 - (value - low) / span):.1f}"
        for position, value in enumerate(values)
    )
