"""Identifiers that sort by the time they were made."""

import secrets
import time
import uuid

_RANDOM_BITS = 74


def new_id() -> uuid.UUID:
    """Make a UUID version 7.

    Returns:
        48 bits of Unix time in milliseconds, then 74 random bits, so that newer rows
        sort after older ones and a list can be paged by its key.

    Source:
        RFC 9562, section 5.7.
    """
    milliseconds = time.time_ns() // 1_000_000
    noise = secrets.randbits(_RANDOM_BITS)
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= (noise >> 62) << 64
    value |= 0b10 << 62
    value |= noise & (2**62 - 1)
    return uuid.UUID(int=value)
