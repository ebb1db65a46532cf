"""A zip file that remembers a hundred bytes of each entry until its end.

`zipfile` keeps an object for each entry: for the tiles of a large tree more than
everything else that an export holds in memory.

Source:
    PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3 (Zip64).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import IO, Final

MOST: Final = 0xFFFFFFFF  # stands for what Zip64 says
MANY: Final = 0xFFFF  # the same for the number of entries
LIMIT, COUNT_LIMIT = MOST, MANY  # from here on Zip64 is needed

_PLAIN, _ZIP64 = 20, 45  # versions of the format
_UNIX: Final = 3 << 8
_MODE: Final = 0o600 << 16
_STORED, _DEFLATED = 0, 8
_FAST: Final = 1  # of deflate: events shrink to a quarter, and time counts more
_LONG_AGO: Final = 1 << 5 | 1  # 1 January 1980: the same export is the same file

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_LISTED: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_PLACE64: Final = struct.Struct("<4sLQL")
_EXTRA64: Final = struct.Struct("<2H")


@dataclass(frozen=True)
class _Facts:
    """What the list of entries says of one."""

    name: bytes
    method: int
    crc: int
    packed: int
    size: int


class ZipFile:
    """Writes entries one after the other, then the list of them.

    Args:
        target: open for writing, at its beginning, able to seek.
    """

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._count = 0
        self._listed = bytearray()

    def write(self, name: str, content: bytes, *, packed: bool) -> None:
        """Write an entry that is in memory."""
        data, method = content, _STORED
        if packed:
            packer = _packer()
            data, method = packer.compress(content) + packer.flush(), _DEFLATED
        size, crc = len(content), zlib.crc32(content)
        facts = _Facts(name.encode(), method, crc, len(data), size)
        start = self._target.tell()
        self._target.write(_head(facts, _PLAIN) + facts.name)
        self._target.write(data)
        self._list(facts, start)

    def open(self, name: str) -> Entry:
        """Begin an entry of any size; nothing else is written until it is closed."""
        return Entry(self, self._target, name.encode())

    def close(self) -> None:
        """Write the list of entries."""
        start, length = self._target.tell(), len(self._listed)
        self._target.write(self._listed)
        has_many = self._count >= COUNT_LIMIT
        if start >= LIMIT or has_many:
            counts = (self._count, self._count, length, start)
            self._target.write(
                _END64.pack(b"PK\6\6", 44, _ZIP64, _ZIP64, 0, 0, *counts)
                + _PLACE64.pack(b"PK\6\7", 0, start + length, 1)
            )
        count = MANY if has_many else self._count
        place = (_short(length), _short(start))
        self._target.write(_END.pack(b"PK\5\6", 0, 0, count, count, *place, 0))

    def _list(self, facts: _Facts, start: int) -> None:
        numbers = (facts.size, facts.packed, start)
        large = [number for number in numbers if _short(number) == MOST]
        extra = _extra(large) if large else b""
        size, packed, place = map(_short, numbers)
        version = _ZIP64 if large else _PLAIN
        self._count += 1
        self._listed += _LISTED.pack(
            *(b"PK\1\2", _UNIX | version, version, 0, facts.method, 0, _LONG_AGO),
            *(facts.crc, packed, size, len(facts.name), len(extra), 0, 0, 0),
            *(_MODE, place),
        )
        self._listed += facts.name + extra


class Entry:
    """An entry that is being written; its head is written again at its end."""

    def __init__(self, file: ZipFile, target: IO[bytes], name: bytes) -> None:
        self._file, self._target, self._name = file, target, name
        self._packer, self._crc, self._size = _packer(), 0, 0
        self._start = target.tell()
        self._put_head(_Facts(name, _DEFLATED, 0, 0, 0))
        self._begin = target.tell()

    def write(self, piece: bytes) -> None:
        """Write what comes next."""
        self._crc = zlib.crc32(piece, self._crc)
        self._size += len(piece)
        self._target.write(self._packer.compress(piece))

    def close(self) -> None:
        """End the entry."""
        self._target.write(self._packer.flush())
        end = self._target.tell()
        packed = end - self._begin
        facts = _Facts(self._name, _DEFLATED, self._crc, packed, self._size)
        self._target.seek(self._start)
        self._put_head(facts)
        self._target.seek(end)
        self._file._list(facts, self._start)

    def _put_head(self, facts: _Facts) -> None:
        extra = _extra([facts.size, facts.packed])
        self._target.write(_head(facts, _ZIP64, len(extra)) + facts.name + extra)


def _short(number: int) -> int:
    return number if number < LIMIT else MOST


def _packer() -> zlib._Compress:
    return zlib.compressobj(_FAST, zlib.DEFLATED, -zlib.MAX_WBITS)


def _head(facts: _Facts, version: int, extra: int = 0) -> bytes:
    is_large = version == _ZIP64
    sizes = (MOST, MOST) if is_large else (facts.packed, facts.size)
    return _LOCAL.pack(
        *(b"PK\3\4", version, 0, facts.method, 0, _LONG_AGO),
        *(facts.crc, *sizes, len(facts.name), extra),
    )


def _extra(numbers: list[int]) -> bytes:
    """Write the numbers that do not fit 32 bits, each in 64."""
    values = struct.pack(f"<{len(numbers)}Q", *numbers)
    return _EXTRA64.pack(1, len(values)) + values
