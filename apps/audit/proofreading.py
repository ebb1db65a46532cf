"""Read many events at once: is each still what the portal wrote?

It asks what `body.flaw_of` asks, at the speed at which the database can give rows. Who
fails here is looked at again there, one by one, for the words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson
from django.db import connection
from psycopg import Cursor
from psycopg.types.string import ByteaBinaryLoader

from apps.audit.body import columns_of, mac_key, mac_key_id
from apps.audit.transparency.tree import LEAF

# The text, what vouches for it, and the columns beside it as the text spells them, in
# the order of `body.COLUMNS`. Types in `_AS_BYTES` come as the database keeps them.
COLUMNS: Final = """
body, leaf_hash, mac, mac_kid, CASE WHEN payload <> ''
    THEN encode(sha256(convert_to(payload, 'UTF8')), 'hex')::varchar END,
event_id::varchar, at, type, outcome, actor_id::varchar, target_type, target_id,
coalesce(project_id::varchar, ''), request_id
"""
CHUNK: Final = 250  # rows that are read while the database looks for the next
_AS_BYTES: Final = ("text", "timestamptz")
_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001  # of Postgres, in UTC
_CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_BLOCK_BYTES: Final = 64  # of SHA-256, RFC 2104
_INNER, _OUTER = 0x36, 0x5C


class Proof(NamedTuple):
    """What was read of one event.

    Attributes:
        place: where it stands; whatever the first column was.
        pk: its number.
        leaf_hash: the hash of its text as it lies.
        is_sound: whether text, hash and columns agree.
        has_our_mac: whether the portal wrote it.
    """

    place: Any
    pk: int
    leaf_hash: bytes
    is_sound: bool
    has_our_mac: bool


def proofread(statement: str, values: Mapping[str, Any]) -> Iterator[Proof]:
    """Read the events that a statement finds, while the database looks for more.

    Args:
        statement: gives a place, the number of an event and `COLUMNS`.
        values: for its placeholders.
    """
    loads, dumps, key_id = orjson.loads, orjson.dumps, mac_key_id()
    inner, outer = _keyed(_INNER), _keyed(_OUTER)
    rows = _streamed(statement, values)
    for place, pk, body, leaf, mac, kid, payload, name, at, *columns in rows:
        found = sha256(LEAF + body).digest()
        inside, outside = inner.copy(), outer.copy()
        inside.update(leaf)
        outside.update(inside.digest())
        is_ours = outside.digest() == mac and kid == key_id
        try:
            facts = loads(body)
            is_sound = (
                found == leaf
                and dumps(facts, option=_CANONICAL) == body
                and (name, _spelled(at), *columns) == columns_of(facts)
                and payload == facts.get("changes_sha256")
            )
        except (ValueError, TypeError, KeyError, OverflowError):
            is_sound = False
        yield Proof(place, pk, found, is_sound, is_ours)


def _streamed(statement: str, values: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        for name in _AS_BYTES:
            cursor.adapters.register_loader(name, ByteaBinaryLoader)
        yield from cursor.stream(statement, values, binary=True, size=CHUNK)


def _spelled(at: bytes) -> str:
    """Write a moment, which the database keeps in microseconds, as the text does."""
    since = timedelta(microseconds=int.from_bytes(at, "big", signed=True))
    return f"{(_EPOCH + since).isoformat(timespec='microseconds')}Z"


def _keyed(pad: int) -> Any:
    """Begin one of the two hashes of an HMAC, the same for every event."""
    return sha256(bytes(one ^ pad for one in mac_key().ljust(_BLOCK_BYTES, b"\0")))
