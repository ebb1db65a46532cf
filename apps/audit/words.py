"""How people, objects and texts of the trail are found by words."""

from __future__ import annotations

import re
from functools import reduce
from operator import and_
from typing import Final
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import Q

from apps.audit.models import Disclosure, Words
from apps.core.errors import Invalid

MAX_PEOPLE: Final = 50  # whom one filter can mean
SHORTEST_BEGINNING: Final = 3  # letters; shorter words are asked for as they are


def id_in(value: str) -> UUID | None:
    """Read an id; None when the text is none."""
    try:
        return UUID(value)
    except ValueError:
        return None


def subjects_named(text: str) -> list[UUID]:
    """Find the accounts that an event may call so: exactly, or by words that begin so.

    Raises:
        Invalid: these are too many people to mean one of them.
    """
    if found := id_in(text):
        return [found]
    exact = Disclosure.objects.subjects_of(text)
    words = words_of(" ".join(re.split(r"[\s<>@._-]+", text)))
    if exact or not words:
        return exact
    like = Disclosure.objects.subjects_beginning(words, MAX_PEOPLE + 1)
    if len(like) > MAX_PEOPLE:
        sentence = (
            f"More than {MAX_PEOPLE} people match {text!r}; write more of a name."
        )
        raise Invalid(sentence, fields={"person": "Too many people match."})
    return like


def naming(text: str) -> Q:
    """Ask for events with all words of a name or of an id."""
    return Q(words=_whole(_parted(text)))


def words_of(value: str, *, weight: str = "") -> Words | None:
    """Ask for texts with all these words; the last may be the beginning of one.

    That of each word would cost much: the index gives every word that begins so.
    """
    *words, last = _parted(value).split() or [""]
    asked: list[Words] = [_exactly(word, weight) for word in words]
    if last:
        longer = "*" if len(last) >= SHORTEST_BEGINNING else ""
        asked.append(_exactly(last, weight, longer))
    return reduce(and_, asked) if asked else None


def _parted(text: str) -> str:
    """Part what strokes join, as the words of events are parted."""
    return text.replace("/", " ")


def _exactly(word: str, weight: str, longer: str = "") -> SearchQuery:
    if "'" in word or "\\" in word:
        return _whole(word)
    if longer and not word.isalnum():
        return _beginning(word, weight)
    mark = f":{longer}{weight}" if longer or weight else ""
    return SearchQuery(f"'{word}'{mark}", search_type="raw", config="simple")


def _whole(word: str) -> SearchQuery:
    """Ask for a composite word as the database parts it."""
    return SearchQuery(word, search_type="plain", config="simple")


def _beginning(word: str, weight: str) -> SearchQuery:
    """Ask for composite words that begin so: only their last part may be longer.

    Every word that begins with one of the frequent parts would be read otherwise, just
    to be thrown away. The index has the parts of `damage-risk-123` each and also
    `damage-risk`, which depends on how far somebody has written the word.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT phraseto_tsquery('simple', %s)::text", [word])
        *parts, last = cursor.fetchone()[0].split(" <-> ")
    mark = f":{weight}" if weight else ""
    asked = [f"{part}{mark}" for part in parts if "-" not in part[2:]]
    if last:
        asked.append(f"{last}:*{weight}")
    return SearchQuery(" <-> ".join(asked), search_type="raw", config="simple")
