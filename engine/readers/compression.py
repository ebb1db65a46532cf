"""Packed text, unpacked piece by piece, never further than the spec allows."""

import bz2
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

import zstandard

from engine.folder import EngineError, Folder
from engine.spec import IngestSpec

PIECE_BYTES = 1024 * 1024
MOST_RATIO = 200  # real tables pack 3 to 50 times; a bomb a thousand times or more
FREE_BYTES = 16 * 1024 * 1024  # the ratio is not asked before so much was unpacked
_WINDOW_BYTES = 128 * 1024 * 1024
_MARKS = {
    "gzip": b"\x1f\x8b",
    "zstd": b"\x28\xb5\x2f\xfd",
    "bzip2": b"BZh",
    "xz": b"\xfd7zXZ\x00",
}
_ERRORS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError)


class _Decoder(Protocol):
    """What the decoders of all kinds have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """A zlib decoder that hands out as its siblings do."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not self._decoder.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._decoder.decompress(
            self._decoder.unconsumed_tail + data, max_length
        )


class _Zstd:
    """A zstd decoder; it cannot be bounded, so it is given little at a time."""

    needs_input = True

    def __init__(self) -> None:
        context = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
        self._decoder = context.decompressobj()

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._decoder.decompress(data)


def unpack(spec: IngestSpec, folder: Folder, packed: Path) -> Path:
    """Unpack `packed` beside the job's other scratch files; return where it is.

    Raises:
        EngineError: broken, cut short, followed by something else, or holding more
            than the spec allows or than honest tables do.
    """
    kind = spec.compression
    _check_mark(packed, kind)
    target = folder.path / "scratch" / "unpacked"
    target.parent.mkdir(exist_ok=True)
    size, written = packed.stat().st_size, 0
    try:
        with packed.open("rb") as source, target.open("wb") as out:
            for piece in _pieces(source, kind):
                written += len(piece)
                _check_size(written, source.tell(), spec.max_unpacked_bytes)
                out.write(piece)
                folder.progress(0.05 * source.tell() / size, "Unpacking the file")
    except _ERRORS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise EngineError(
            f"The file cannot be unpacked as {kind} after {written:,} bytes "
            f"({error}); it is broken, cut short or followed by something else. "
            "Pack it again."
        ) from error
    folder.log(f"{written:,} bytes unpacked.")
    return target


def _check_mark(packed: Path, kind: str) -> None:
    with packed.open("rb") as file:
        head = file.read(16)
    if not head:
        raise EngineError("The file is empty; upload one with data.")
    if not head.startswith(_MARKS[kind]):
        raise EngineError(
            f"The file is named as {kind} but is not packed so; upload it under its "
            "true name."
        )


def _check_size(written: int, read: int, most: int) -> None:
    if written > most:
        raise EngineError(
            f"The file unpacks to more than the {most:,} bytes allowed; upload a part "
            "of it or ask for a higher limit."
        )
    if written > FREE_BYTES and written > read * MOST_RATIO:
        raise EngineError(
            f"The file unpacks to more than {MOST_RATIO} times its size, as a "
            "decompression bomb does; upload it unpacked."
        )


def _pieces(source: IO[bytes], kind: str) -> Iterator[bytes]:
    """Yield what the streams of a file unpack to, one stream after another."""
    chunk_bytes = 1024 if kind == "zstd" else 64 * 1024
    decoder, data = _decoder(kind), source.read(chunk_bytes)
    while True:
        yield decoder.decompress(data, PIECE_BYTES)
        data = b""
        if decoder.eof:
            data = decoder.unused_data or source.read(chunk_bytes)
            if not data:
                return
            decoder = _decoder(kind)
        elif decoder.needs_input:
            data = source.read(chunk_bytes)
            if not data:
                raise EOFError("its end is missing")


def _decoder(kind: str) -> _Decoder:
    if kind == "gzip":
        return _Gzip()
    if kind == "zstd":
        return _Zstd()
    if kind == "bzip2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_WINDOW_BYTES)
