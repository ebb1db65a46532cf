"""One sealed event on its way out, read without trust in its form.

An event that was damaged and accepted as it lies is sealed like any other, and must
neither stop a stream nor be left out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson

from apps.audit.personal import COMMITMENT
from apps.audit.transparency.tree import leaf_hash

PRODUCT: Final = "MLOps Portal"
SHORT_REASON: Final = 200  # characters
BEGINNING: Final = "1970-01-01T00:00:00.000000Z"  # where the text tells no time


@dataclass(frozen=True)
class Entry:
    """A leaf of the tree and the event behind it.

    Args:
        leaf_index: its place, counted from 0.
        text: the body as it was sealed; empty when the event is gone.
        origin: name of the tree in which the place counts.
        is_short: leave out what can be long; the hash stays that of the whole.
    """

    leaf_index: int
    text: str
    origin: str
    is_short: bool = False

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The body; empty when it cannot be read."""
        try:
            found = orjson.loads(self.text)
        except orjson.JSONDecodeError:
            return {}
        if not isinstance(found, dict):
            return {}
        if self.is_short and found.pop("changes", None):
            found["reason"] = text_in(found, "reason")[:SHORT_REASON]
        return found

    @cached_property
    def leaf_hash(self) -> str:
        """SHA-256 of the leaf (RFC 6962) in hexadecimal, of the text as it is sent."""
        return leaf_hash(self.text.encode()).hex() if self.text else ""

    @property
    def is_whole(self) -> bool:
        """Say whether the body, written again, has the bytes that were sealed."""
        again = orjson.dumps(self.facts, option=orjson.OPT_SORT_KEYS)
        return again == self.text.encode()

    @property
    def action(self) -> str:
        """What happened, as `noun.verb`."""
        return text_in(self.facts, "action")

    @property
    def time(self) -> str:
        """When it happened, RFC 3339 in UTC."""
        return text_in(self.facts, "time") or BEGINNING

    @property
    def summary(self) -> str:
        """What happened to what, in a line."""
        if not self.facts:
            return f"Leaf {self.leaf_index} holds no readable event"
        thing = self.part("object")
        name = text_in(thing, "name") or text_in(thing, "id")
        return " ".join(filter(None, [self.action, text_in(thing, "type"), name]))

    @property
    def changes(self) -> str:
        """What changed, as JSON text: its values have too many types for an index."""
        changes = self.facts.get("changes")
        return orjson.dumps(changes).decode() if changes else ""

    def part(self, name: str) -> dict[str, Any]:
        """Take a part of the body, such as `actor`; empty when it is not there."""
        found = self.facts.get(name)
        return found if isinstance(found, dict) else {}


def text_in(facts: Mapping[str, Any], name: str) -> str:
    """Take a text; empty for anything else, and so for all personal data."""
    found = facts.get(name)
    return found if isinstance(found, str) else ""


def commitment_in(facts: Mapping[str, Any], name: str) -> str:
    """Take the commitment that stands for personal data; empty when there is none."""
    found = facts.get(name)
    return text_in(found, COMMITMENT) if isinstance(found, dict) else ""


def number_in(facts: Mapping[str, Any], name: str, otherwise: int) -> int:
    """Take a whole number."""
    found = facts.get(name)
    return found if type(found) is int else otherwise


def texts_in(facts: Mapping[str, Any], name: str) -> list[str]:
    """Take a list of texts; what is no text is left out."""
    found = facts.get(name)
    return (
        [each for each in found if isinstance(each, str)]
        if isinstance(found, list)
        else []
    )


def filled(record: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is empty, at every depth."""
    parts = {
        name: filled(value) if isinstance(value, dict) else value
        for name, value in record.items()
    }
    return {
        name: value for name, value in parts.items() if value not in ("", None, {}, [])
    }
