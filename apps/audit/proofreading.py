"""Read many events at once: is each still what the portal wrote?

It asks what `body.flaw_of` asks, at the speed at which the database can give rows. Who
fails here is looked at again there, one by one, for the words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson
from django.db import connection
from psycopg import Connection, Cursor
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
CHUNK: Final = 400  # rows that are proofread while the database looks for the next
_DECLARE: Final = "DECLARE audit_found NO SCROLL CURSOR FOR "
_FETCH: Final = f"FETCH {CHUNK} FROM audit_found"
_CLOSE: Final = "CLOSE audit_found"
_AS_BYTES: Final = ("text", "timestamptz")
_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001  # of Postgres, in UTC
_CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_SECOND: Final = 1_000_000  # in microseconds
_SECONDS: Final = 3600  # of an hour
_IN_AN_HOUR: Final = [f"{at // 60:02}:{at % 60:02}." for at in range(_SECONDS)]
_BLOCK_BYTES: Final = 64  # of SHA-256, RFC 2104
_INNER, _OUTER = 0x36, 0x5C

Rows = Sequence[Sequence[Any]]


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


def proofread(statement: str, values: Mapping[str, Any]) -> Iterator[list[Proof]]:
    """Read the events that a statement finds, inside a transaction, some hundred each.

    The database looks for the next ones meanwhile. What is executed on `session()`
    between two answers is sent at once, and done after these.

    Args:
        statement: gives a place, the number of an event and `COLUMNS`.
        values: for its placeholders.
    """
    for rows in _read_ahead(statement, values):
        yield _proofs(rows)


def session() -> Connection[Any]:
    """Give what is below Django's connection, whose errors are those of the driver."""
    connection.ensure_connection()
    below: Connection[Any] = connection.connection
    return below


def _read_ahead(statement: str, values: Mapping[str, Any]) -> Iterator[Rows]:
    """Fetch rows; always the next two times are on their way."""
    with connection.wrap_database_errors, session().pipeline():
        Cursor(session()).execute(f"{_DECLARE}{statement}", values)
        coming = deque([_fetch(), _fetch()])
        while rows := coming.popleft().fetchall():
            if len(rows) == CHUNK:
                coming.append(_fetch())
            yield rows
        Cursor(session()).execute(_CLOSE)


def _fetch() -> Cursor[Any]:
    cursor = Cursor(session())
    for name in _AS_BYTES:
        cursor.adapters.register_loader(name, ByteaBinaryLoader)
    return cursor.execute(_FETCH, prepare=True, binary=True)


def _proofs(rows: Rows) -> list[Proof]:
    """Look whether these events are what the portal wrote."""
    loads, dumps, key_id = orjson.loads, orjson.dumps, mac_key_id()
    inner, outer = _keyed(_INNER), _keyed(_OUTER)
    proofs = []
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
        proofs.append(Proof(place, pk, found, is_sound, is_ours))
    return proofs


def _spelled(at: bytes) -> str:
    """Write a moment, which the database keeps in microseconds, as the text does."""
    seconds, rest = divmod(int.from_bytes(at, "big", signed=True), _SECOND)
    hour, second = divmod(seconds, _SECONDS)
    return f"{_hour(hour)}{_IN_AN_HOUR[second]}{rest:06}Z"


@lru_cache(maxsize=1000)
def _hour(number: int) -> str:
    return f"{(_EPOCH + timedelta(hours=number)).isoformat(timespec='hours')}:"


def _keyed(pad: int) -> Any:
    """Begin one of the two hashes of an HMAC, the same for every event."""
    return sha256(bytes(one ^ pad for one in mac_key().ljust(_BLOCK_BYTES, b"\0")))
