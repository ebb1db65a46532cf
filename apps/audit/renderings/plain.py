"""Our own form: the body, and beside it where it is sealed."""

from typing import Any

from apps.audit.renderings.entry import Entry


def plain(entry: Entry) -> dict[str, Any]:
    """Render the body itself.

    Written again with sorted keys and without spaces, `body` has the bytes that were
    sealed. Where it would not, `text` has them instead.
    """
    record: dict[str, Any] = {
        "leaf_index": entry.leaf_index,
        "leaf_hash": entry.leaf_hash,
        "origin": entry.origin,
    }
    if entry.is_short:
        return record | {"is_truncated": True, "body": entry.facts}
    if not entry.text:
        return record | {"is_missing": True}
    if not entry.is_whole:
        return record | {"text": entry.text}
    return record | {"body": entry.facts}
