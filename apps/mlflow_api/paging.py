"""Tokens of pages: opaque to clients, and read back only as we wrote them."""

from __future__ import annotations

import base64
import json
from typing import Any

from apps.mlflow_api.errors import INVALID, MlflowError

MOST_CHARACTERS = 4_000


def write_token(values: list[Any]) -> str:
    """Write where a page ended."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def read_token(token: str, kinds: list[type]) -> list[Any]:
    """Read where a page ended.

    Raises:
        MlflowError: it is no token of this list.
    """
    try:
        if len(token) > MOST_CHARACTERS:
            raise ValueError("too long")
        text = base64.b64decode(token.encode("ascii"), b"-_", validate=True)
        values = json.loads(text)
        fits = zip(values, kinds, strict=True)
        if not all(type(value) is kind for value, kind in fits):
            raise ValueError("of another list")
    except (ValueError, TypeError, RecursionError) as error:
        raise MlflowError(
            INVALID, "Invalid page token: start again without one."
        ) from error
    return list(values)


def size_of(given: int | None, usual: int, most: int) -> int:
    """Say how many rows a page has.

    Raises:
        MlflowError: more than are possible, or none.
    """
    if given is None:
        return usual
    if not 0 < given <= most:
        raise MlflowError(
            INVALID,
            f"Invalid value {given} for parameter 'max_results' supplied: give 1 to "
            f"{most}.",
        )
    return given
