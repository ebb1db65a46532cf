"""Parts the text of a filter into words, marks and values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from apps.experiments.search.nodes import SearchError

MOST_CHARACTERS = 200_000


class Kind(Enum):
    """What a token is."""

    NAME = "name"
    TEXT = "text"
    NUMBER = "number"
    MARK = "mark"
    END = "end"


@dataclass(frozen=True)
class Token:
    """A piece of the text.

    Args:
        kind: what it is.
        text: as it stands.
        place: characters before it.
    """

    kind: Kind
    text: str
    place: int


_BACKTICKS = "`(?:[^`]|``)*`"
_DOUBLE = '"(?:[^"]|"")*"'
# A double-quoted word may be a key or a value: the parser knows which it expects.
_NAME = rf"(?:[^\W\d]\w*|{_BACKTICKS}|{_DOUBLE})(?:\.(?:\w+|{_BACKTICKS}|{_DOUBLE}))*"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<NUMBER>-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![\w.]))
    |(?P<NAME>{_NAME})
    |(?P<TEXT>'(?:[^']|'')*')
    |(?P<MARK>>=|<=|!=|[=<>(),])""",
    re.VERBOSE,
)
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
_PART = re.compile(rf"\.?(?:(?P<bare>\w+)|(?P<quoted>{_BACKTICKS}|{_DOUBLE}))")


def read_tokens(text: str) -> list[Token]:
    """Part a text into tokens; the last one is the end.

    Raises:
        SearchError: the text is too long, or something in it is no token.
    """
    _check(text)
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise SearchError(_complaint(text[place]), place=place)
        kind = found.lastgroup or "space"
        if kind != "space":
            tokens.append(Token(Kind[kind], found.group(), place))
        place = found.end()
    tokens.append(Token(Kind.END, "", len(text)))
    return tokens


def parts_of(name: str) -> list[tuple[str, bool]]:
    """Part a name at its dots.

    Returns:
        Each part without its quotes, and whether it was quoted.
    """
    parts: list[tuple[str, bool]] = []
    for found in _PART.finditer(name):
        quoted = found["quoted"]
        parts.append((unquoted(quoted) if quoted else found["bare"], bool(quoted)))
    return parts


def unquoted(text: str) -> str:
    """Take the quotes away; two of them inside stand for one."""
    mark = text[0]
    return text[1:-1].replace(mark * 2, mark)


def _check(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise SearchError(
            f"Invalid filter: it has {len(text):,} characters, {MOST_CHARACTERS:,} "
            "are the most.",
            place=MOST_CHARACTERS,
        )
    impossible = _IMPOSSIBLE.search(text)
    if impossible:
        raise SearchError(
            "Invalid filter: it holds a character that no text can hold.",
            place=impossible.start(),
        )


def _complaint(sign: str) -> str:
    if sign in "'\"`":
        return f"Invalid clause(s) in filter string: the quote {sign} is not closed."
    return (
        f"Invalid clause(s) in filter string: {sign} is not expected here; write keys "
        "with special characters in backticks."
    )
