"""What can be kept of names, tags and texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from apps.core.errors import Invalid
from apps.experiments.actions.checks import check_key, check_text, invalid
from apps.registry.models import AliasName

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_NAME = 255
LONGEST_ALIAS = 255
LONGEST_TAG = 100_000
MOST_TEXT = 20_000
MOST_TAGS = 1_000
_ALIAS = re.compile(r"[\w\-]+", re.ASCII)
_VERSION_ALIAS = re.compile(r"v[0-9]+", re.IGNORECASE)


def check_name(name: str) -> None:
    """Take the name of a model.

    Raises:
        Invalid: it is empty, too long, or would be read as something else in paths.
    """
    fits = 0 < len(name) <= LONGEST_NAME and name.strip() and name.isprintable()
    if not fits or name in (".", "..") or "/" in name or ":" in name:
        sentence = (
            f"{name[:40]!r} cannot be the name of a model: give 1 to {LONGEST_NAME} "
            "characters, none of them / or :, and not . or .. alone."
        )
        raise Invalid(sentence, fields={"model_name": sentence, "name": sentence})


def check_alias(name: str) -> None:
    """Take the name of an alias.

    Raises:
        Invalid: it cannot be one, or could be taken for a number, for `latest` or for
            the governed alias.
    """
    if len(name) > LONGEST_ALIAS or not _ALIAS.fullmatch(name):
        raise invalid(
            "alias",
            f"{name[:40]!r} cannot be an alias: give 1 to {LONGEST_ALIAS} letters, "
            "digits, _ and -.",
        )
    if name.lower() == "latest" or _VERSION_ALIAS.fullmatch(name):
        raise invalid("alias", f"The alias {name} is reserved; choose another.")
    if name != AliasName.CHAMPION and name.lower() == AliasName.CHAMPION:
        raise invalid(
            "alias",
            f"{name} would be taken for the governed alias {AliasName.CHAMPION}; "
            "choose another.",
        )


def check_tag(key: str, value: str) -> None:
    """Take a tag.

    Raises:
        Invalid: the key or the value cannot be kept.
    """
    check_key("tags", key)
    if len(value) > LONGEST_TAG:
        raise invalid(
            "tags",
            f"The tag's 'value' exceeds the maximum length of {LONGEST_TAG} "
            "characters; keep long texts as files.",
        )
    check_text("tags", value, LONGEST_TAG, may_be_empty=True)


def check_tags(tags: Mapping[str, str]) -> None:
    """Take the tags that something begins with; see `check_tag`."""
    if len(tags) > MOST_TAGS:
        raise invalid("tags", f"{MOST_TAGS} tags are the most to begin with.")
    for key, value in tags.items():
        check_tag(key, value)


def check_words(field: str, text: str) -> None:
    """Take a longer text of a person.

    Raises:
        Invalid: it is too long, or holds NUL.
    """
    if len(text) > MOST_TEXT or "\0" in text:
        raise Invalid(
            f"A text has up to {MOST_TEXT:,} readable characters.",
            fields={field: "Too long, or holds characters that cannot be kept."},
        )
