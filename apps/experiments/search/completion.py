"""What could come next in a filter that somebody is writing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from apps.experiments.search.nodes import Entity, Key, Operator, SearchError
from apps.experiments.search.parser import parse_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from apps.experiments.search.vocabulary import Vocabulary

MOST_CHARACTERS = 2_000
MOST_SUGGESTIONS = 12
# As the tokens of a filter, but that the last of them may still be open.
_PIECE = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>'(?:[^']|'')*(?:'|$))
    |(?P<word>(?:[\w.\-/]+|`[^`]*(?:`|$)|"[^"]*(?:"|$))+)
    |>=|<=|!=|[=<>!(),]
    |.""",
    re.VERBOSE | re.DOTALL,
)
_BARE = re.compile(r"\w+(?:\.\w+)*")
_QUOTES = str.maketrans("", "", "`\"'")
_LISTS = {Operator.IN.value, Operator.NOT_IN.value}
_PRESENCE = {Operator.IS_NULL.value, Operator.IS_NOT_NULL.value}
_OPERATORS = {operator.value for operator in Operator}


class Part(Enum):
    """What a place in a filter takes."""

    KEY = "key"
    OPERATOR = "operator"
    VALUE = "value"
    JOINER = "joiner"


@dataclass(frozen=True)
class Expected:
    """What may stand where somebody writes.

    Args:
        part: its kind.
        start: where what they began to write starts, in characters.
        begun: that beginning, perhaps nothing.
        key: of the comparison, once it is written.
        in_list: the value stands in a list that is not opened yet.
    """

    part: Part
    start: int
    begun: str
    key: str = ""
    in_list: bool = False


def expected(before: str) -> Expected:
    """Tell what comes next after the text before the cursor."""
    pieces = [one for one in _PIECE.finditer(before) if one["space"] is None]
    begun = None
    if pieces and pieces[-1].end() == len(before) and _is_open(pieces[-1]):
        begun = pieces.pop()
    state = _State()
    for piece in pieces:
        state.take(piece.group(), piece.start())
    start = begun.start() if begun else len(before)
    if state.part is Part.OPERATOR and state.words:
        start = state.since
    return Expected(
        state.part, start, before[start:], state.key, state.in_list and not state.opened
    )


def _is_open(piece: re.Match[str]) -> bool:
    """Say whether more signs could belong to a piece."""
    text = piece.group()
    if piece["text"] is not None:
        return len(text) == 1 or not text.endswith("'")
    return piece["word"] is not None


class _State:
    """Goes through pieces as a reader of filters would, and forgives."""

    def __init__(self) -> None:
        self.part = Part.KEY
        self.key = ""
        self.words: list[str] = []
        self.since = 0
        self.in_list = False
        self.opened = False

    def take(self, piece: str, place: int) -> None:
        if self.part is Part.KEY:
            self.key, self.words, self.part = piece, [], Part.OPERATOR
        elif self.part is Part.OPERATOR:
            self._operator(piece, place)
        elif self.part is Part.VALUE:
            self._value(piece)
        else:
            self.part = Part.KEY

    def _operator(self, piece: str, place: int) -> None:
        self.since = self.since if self.words else place
        self.words.append(piece.upper())
        found = " ".join(self.words)
        if found in _PRESENCE:
            self.part = Part.JOINER
        elif found in _OPERATORS:
            self.part, self.in_list = Part.VALUE, found in _LISTS
            self.opened = False

    def _value(self, piece: str) -> None:
        if piece == "(":
            self.opened = True
        elif piece == ")" or not self.in_list:
            self.part, self.in_list = Part.JOINER, False


def written_key(key: Key) -> str:
    """Write a key as people would, with backticks only where they are needed."""
    name = key.name
    if not _BARE.fullmatch(name):
        doubled = name.replace("`", "``")
        name = f"`{doubled}`"
    return name if key.entity is Entity.ATTRIBUTE else f"{key.entity}.{name}"


def written_text(text: str) -> str:
    """Write a text as a value of a filter."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def operators_of(key: str, vocabulary: Vocabulary) -> list[str]:
    """Name the comparisons of a key, none when it cannot be read."""
    try:
        allowed = vocabulary.operators(parse_key(key, vocabulary))
    except SearchError:
        return []
    return [operator.value for operator in Operator if operator in allowed]


def matching(offered: Iterable[str], begun: str) -> list[str]:
    """Keep what fits what was begun: first what starts so, then what contains it.

    Case and quotes make no difference.
    """
    wanted = _plain(begun)
    found = [one for one in dict.fromkeys(offered) if wanted in _plain(one)]
    found.sort(key=lambda one: not _plain(one).startswith(wanted))
    return found[:MOST_SUGGESTIONS]


def _plain(text: str) -> str:
    return text.translate(_QUOTES).casefold()
