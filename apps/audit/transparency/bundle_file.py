"""A zip file whose last entry names every other one with its digest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from hashlib import sha256
from types import TracebackType
from typing import IO, Final, Self

from apps.audit.transparency.zip_file import ZipFile

FORMAT: Final = "audit-bundle/1"
MANIFEST: Final = "MANIFEST.json"
LINES_PER_PIECE: Final = 1000


class BundleFile:
    """The files of an export while it is written.

    Args:
        target: open for writing, at its beginning, able to seek.
    """

    def __init__(self, target: IO[bytes]) -> None:
        self._zip = ZipFile(target)
        self._packer = ThreadPoolExecutor(1)
        self._listed = bytearray()  # a large tree has tens of thousands of files

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._packer.shutdown()

    def write(self, name: str, content: bytes, *, packed: bool = True) -> None:
        """Write a small file."""
        self._zip.write(name, content, packed=packed)
        self._list(name, sha256(content).hexdigest())

    def write_pieces(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file of any size; each piece is packed while the next one is made."""
        self._list(name, self._write(name, pieces))

    def _write(self, name: str, pieces: Iterable[bytes]) -> str:
        entry, digest = self._zip.open(name), sha256()

        def pack(piece: bytes) -> None:
            digest.update(piece)
            entry.write(piece)

        packing: Future[None] | None = None
        try:
            for piece in pieces:
                if packing:
                    packing.result()
                packing = self._packer.submit(pack, piece)
        finally:
            wait([packing] if packing else [])
        if packing:
            packing.result()
        entry.close()
        return digest.hexdigest()

    def finish(self) -> str:
        """Write the manifest and end the file.

        Returns:
            The SHA-256 of the manifest, in hexadecimal; it stands for all files.
        """
        lines = sorted(self._listed.splitlines())
        self._listed.clear()
        parts = range(0, len(lines), LINES_PER_PIECE)
        pieces = (b",".join(lines[part : part + LINES_PER_PIECE]) for part in parts)
        digest = self._write(MANIFEST, _manifest(pieces))
        self._zip.close()
        return digest

    def _list(self, name: str, digest: str) -> None:
        self._listed += f'{json.dumps(name)}:"{digest}"\n'.encode()


def _manifest(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Write JSON with sorted keys around the lines of the files."""
    yield b'{"files":{'
    for number, piece in enumerate(pieces):
        yield b"," + piece if number else piece
    yield b'},"format":"%b"}\n' % FORMAT.encode()
