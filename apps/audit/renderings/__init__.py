"""Sealed events in the words of other systems: pure functions, without Django.

What is hashed and signed is the body of the event, never one of these. Each rendering
carries the leaf index, the leaf hash and the origin, so that a row in another system
can be traced back to the proof.
"""

from collections.abc import Callable
from typing import Any, Final

import orjson

from apps.audit.renderings.cloudevents import cloudevents
from apps.audit.renderings.ecs import ecs
from apps.audit.renderings.entry import Entry
from apps.audit.renderings.ocsf import ocsf
from apps.audit.renderings.plain import plain

RENDERINGS: Final[dict[str, Callable[[Entry], dict[str, Any]]]] = {
    "plain": plain,
    "ocsf": ocsf,
    "ecs": ecs,
    "cloudevents": cloudevents,
}


def line_of(entry: Entry, rendering: str) -> bytes:
    """Render an event as one line of JSON, with its line feed."""
    return orjson.dumps(RENDERINGS[rendering](entry), option=orjson.OPT_APPEND_NEWLINE)
