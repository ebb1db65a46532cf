"""How events read in words: doors, roles, and what changed, before beside after."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

import orjson
from django import template
from django.db.models import Model
from django.template import Context

from apps.access.checks import has_permission
from apps.access.permissions import Permission
from apps.access.roles import ROLES

if TYPE_CHECKING:
    from apps.projects.models import Project

register = template.Library()

DOORS: Final = {
    "web": "in the browser",
    "api": "through the API",
    "worker": "by background work",
    "cli": "on the command line",
}
LONG: Final = 80  # characters; longer texts stand side by side
MOST_WORDS: Final = 3_000  # of both sides, whose differences are marked
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})


@dataclass(frozen=True)
class Piece:
    """A stretch of a text, and whether the other side has it too."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Change:
    """One changed field, or one fact when there is no `before`.

    Args:
        field: its name in words.
        before: the text before, in pieces; None for a fact.
        after: the text after, in pieces.
        is_long: the sides need room of their own.
    """

    field: str
    before: list[Piece] | None
    after: list[Piece]
    is_long: bool


@register.inclusion_tag("audit/_history_link.html", takes_context=True)
def history_link(context: Context, thing: Model) -> dict[str, Any]:
    """Link to the history of a thing, for who may read it.

    Args:
        context: of the page.
        thing: has a `project`, or belongs to none.
    """
    project: Project | None = getattr(thing, "project", None)
    user = context["user"]
    if not has_permission(user, Permission.AUDIT_READ, project):
        return {}
    return {"kind": thing._meta.label_lower, "key": str(thing.pk)}


@register.filter
def door(channel: str) -> str:
    """Say through which door an event came."""
    return DOORS.get(channel, channel)


@register.filter
def role_titles(slugs: list[str]) -> str:
    """Name roles by their titles; one that is gone by its slug."""
    return ", ".join(ROLES[one].title if one in ROLES else one for one in slugs)


@register.filter
def sides(changes: dict[str, Any]) -> list[Change]:
    """Tell what changed in whole texts; what is the same on both sides is left out."""
    told = [_change(field, value) for field, value in changes.items()]
    return [one for one in told if one is not None]


def _change(field: str, value: Any) -> Change | None:
    name = str(field).replace("_", " ").capitalize()
    match value:
        case [before, after]:
            if before == after or (before in _NOTHING and after in _NOTHING):
                return None
            return _compared(name, _text(before), _text(after))
    fact = _text(value)
    return Change(name, None, [Piece(fact, differs=False)], len(fact) > LONG)


def _compared(name: str, before: str, after: str) -> Change:
    is_long = max(len(before), len(after)) > LONG
    if not is_long:
        return Change(name, [Piece(before, False)], [Piece(after, False)], False)
    former, latter = before.split(" "), after.split(" ")
    if len(former) + len(latter) > MOST_WORDS:
        return Change(name, [Piece(before, False)], [Piece(after, False)], True)
    steps = SequenceMatcher(None, former, latter, autojunk=False).get_opcodes()
    return Change(
        name,
        _pieces(former, [(step, start, end) for step, start, end, _, _ in steps]),
        _pieces(latter, [(step, start, end) for step, _, _, start, end in steps]),
        is_long,
    )


def _pieces(words: list[str], steps: list[tuple[str, int, int]]) -> list[Piece]:
    return [
        Piece(" ".join(words[start:end]), differs=step != "equal")
        for step, start, end in steps
        if end > start
    ]


def _text(value: Any) -> str:
    if value in _NOTHING:
        return "nothing"
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return "\n".join(f"{name}: {_text(inner)}" for name, inner in value.items())
        case list() if any(isinstance(inner, dict | list) for inner in value):
            return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        case list():
            return ", ".join(map(str, value))
    return str(value)
