"""How the API reads a body; apart from `rest`, which DRF must not need so early."""

import re
from collections.abc import Iterator
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from apps.core.errors import Invalid

# What no text in the database can hold: NUL, and halves of characters.
_NEVER_STORED = re.compile("[\0\ud800-\udfff]")
NOT_STORABLE = (
    "This holds a NUL character or half of a character (\\u0000, or \\ud800 to "
    "\\udfff on its own); remove it."
)


class PortalJSONParser(JSONParser):
    """JSON of a depth that can be read, with text that can be kept."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            data = super().parse(*args, **kwargs)
            can_be_kept = is_storable(data)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        if not can_be_kept:
            raise Invalid(NOT_STORABLE, fields=_faults(data))
        return data


def _faults(data: Any) -> dict[str, str]:
    """Name the fields at fault; a name that is at fault itself cannot be answered."""
    named = data if isinstance(data, dict) else {}
    return {
        name: NOT_STORABLE
        for name, value in named.items()
        if is_storable(name) and not is_storable(value)
    }


def is_storable(value: Any) -> bool:
    """Say whether the database can hold every text inside `value`."""
    return not any(map(_NEVER_STORED.search, _texts(value)))


def _texts(value: Any) -> Iterator[str]:
    """Yield every text inside `value`, keys of objects included."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            yield from value
            yield from _texts(list(value.values()))
