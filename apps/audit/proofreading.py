"""Read many events at once: is each still what the portal wrote?

It asks what `body.flaw_of` asks, at the speed at which the database can give rows. Who
fails here is looked at again there, one by one, for the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from apps.audit.body import columns_of, mac_key, mac_key_id

# The text, what vouches for it, and the columns beside it as the text spells them, in
# the order of `body.COLUMNS`.
COLUMNS: Final = """
convert_to(body, 'UTF8'), leaf_hash, mac, mac_kid,
CASE WHEN payload <> '' THEN encode(sha256(convert_to(payload, 'UTF8')), 'hex') END,
event_id::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
type, outcome, actor_id::text, target_type, target_id,
coalesce(project_id::text, ''), request_id
"""
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


def proofread(rows: Iterable[Sequence[Any]]) -> Iterator[Proof]:
    """Read rows of a place, the number of an event and `COLUMNS`, in binary format."""
    loads, dumps, key_id = orjson.loads, orjson.dumps, mac_key_id()
    inner, outer = _keyed(_INNER), _keyed(_OUTER)
    for place, pk, body, leaf, mac, kid, payload, *columns in rows:
        found = sha256(b"\0" + body).digest()
        inside, outside = inner.copy(), outer.copy()
        inside.update(leaf)
        outside.update(inside.digest())
        is_ours = outside.digest() == mac and kid == key_id
        try:
            facts = loads(body)
            is_sound = (
                found == leaf
                and dumps(facts, option=_CANONICAL) == body
                and tuple(columns) == columns_of(facts)
                and payload == facts.get("changes_sha256")
            )
        except (ValueError, TypeError, KeyError):
            is_sound = False
        yield Proof(place, pk, found, is_sound, is_ours)


def _keyed(pad: int) -> Any:
    """Begin one of the two hashes of an HMAC, the same for every event."""
    return sha256(bytes(one ^ pad for one in mac_key().ljust(_BLOCK_BYTES, b"\0")))
