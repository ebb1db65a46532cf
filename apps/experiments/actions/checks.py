"""What can be kept of what people and programs name and say."""

from __future__ import annotations

import hashlib
import posixpath
import re

from apps.core.errors import Invalid

LONGEST_KEY = 250
LONGEST_VALUE = 6_000
LONGEST_TAG = 8_000
LONGEST_EXPERIMENT_TAG = 20_000
LONGEST_PATH = 500
LONGEST_MODEL_NAME = 500
STEP_LIMIT = 2**63
_SHOWN = 200
_KEY = re.compile(r"[/\w.\- :]+")


def invalid(where: str, sentence: str) -> Invalid:
    """Word a fault of one field."""
    return Invalid(sentence, fields={where: sentence})


def check_text(
    where: str, text: str, longest: int, *, may_be_empty: bool = False
) -> None:
    """Take text that can be kept.

    Raises:
        Invalid: it is empty, too long or holds NUL.
    """
    is_empty = not text.strip() and not may_be_empty
    if is_empty or "\x00" in text or len(text) > longest:
        raise invalid(
            where,
            f"{text[:40]!r} cannot be used in {where}: give 1 to {longest} characters, "
            "none of them NUL.",
        )


def check_key(where: str, key: str) -> None:
    """Take the name of a metric, parameter or tag.

    Raises:
        Invalid: it is empty or too long, has signs that make trouble in paths and
            searches, or looks like a way out of a folder.
    """
    check_text(where, key, LONGEST_KEY)
    if not _KEY.fullmatch(key):
        raise invalid(
            where,
            f"{key[:40]!r} cannot be a name in {where}: letters, digits, spaces and "
            "_ - . : / are possible.",
        )
    if key == "." or key.startswith(("/", "..")) or posixpath.normpath(key) != key:
        raise invalid(
            where,
            f"{key[:40]!r} cannot be a name in {where}: it would be another path.",
        )


def shortened(value: str | None) -> str | None:
    """Show a long value in the trail by its beginning and its digest."""
    if value is None or len(value) <= _SHOWN:
        return value
    digest = hashlib.sha256(value.encode()).hexdigest()
    return f"{value[:_SHOWN]}… ({len(value)} characters, SHA-256 {digest})"
