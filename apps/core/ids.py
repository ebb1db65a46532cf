"""Identifiers that sort by the time they were made."""

import secrets
import time
import uuid

_RANDOM_BITS = 62
_NANOSECONDS = 1_000_000  # in a millisecond


def new_id() -> uuid.UUID:
    """Make a UUID version 7.

    Returns:
        48 bits of Unix time in milliseconds, 12 bits of its fraction, then 62 random
        bits, so that newer rows sort after older ones and a list can be paged by its
        key.

    Source:
        RFC 9562, sections 5.7 and 6.2, method 3.
    """
    milliseconds, rest = divmod(time.time_ns(), _NANOSECONDS)
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= ((rest << 12) // _NANOSECONDS) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(_RANDOM_BITS)
    return uuid.UUID(int=value)


def first_id_at(unix_seconds: float) -> uuid.UUID:
    """Give the lowest id that `new_id` could make in the millisecond of a moment.

    A moment before 1970 counts as its first millisecond.
    """
    milliseconds = max(0, int(unix_seconds * 1000))
    return uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (0b10 << 62))
