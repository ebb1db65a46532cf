"""A zip file whose last entry names every other one with its digest."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from hashlib import sha256
from types import TracebackType
from typing import IO, Final, Self

FORMAT: Final = "audit-bundle/1"
MANIFEST: Final = "MANIFEST.json"
_FAST: Final = 1  # of deflate: events shrink to a quarter, and time counts more
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the same export is the same file


class BundleFile:
    """The files of an export while it is written.

    Args:
        target: open for writing; need not be able to seek.
    """

    def __init__(self, target: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(target, "w", allowZip64=True)
        self._packer = ThreadPoolExecutor(1)
        self._digests: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._packer.shutdown()
        self._zip.close()

    def write(self, name: str, content: bytes, *, packed: bool = True) -> None:
        """Write a small file."""
        self._zip.writestr(_entry(name, packed=packed), content)
        self._digests[name] = sha256(content).hexdigest()

    def write_pieces(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file of any size; each piece is packed while the next one is made."""
        entry, digest = _entry(name, packed=True), sha256()
        with self._zip.open(entry, "w", force_zip64=True) as stream:

            def pack(piece: bytes) -> None:
                digest.update(piece)
                stream.write(piece)

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
        self._digests[name] = digest.hexdigest()

    def finish(self) -> str:
        """Write the manifest, last.

        Returns:
            Its SHA-256, in hexadecimal; it stands for all files.
        """
        manifest = {"files": self._digests, "format": FORMAT}
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
        self.write(MANIFEST, f"{text}\n".encode())
        return self._digests[MANIFEST]


def _entry(name: str, *, packed: bool) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    entry._compresslevel = _FAST  # type: ignore[attr-defined]
    return entry
