"""A first look at a file, byte by byte, before any parser sees it."""

import codecs
from collections.abc import Callable
from pathlib import Path

from engine.folder import EngineError

CHUNK_BYTES = 1024 * 1024
LONGEST_LINE_BYTES = 1024 * 1024

_FOREIGN = {
    b"PK\x03\x04": "a zip archive or Excel workbook",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
}
_OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_SAVE_AS = 'save it as "CSV UTF-8" and upload it again.'


def check_parquet(path: Path) -> None:
    """Check that the file carries the marks of Parquet at both ends.

    Raises:
        EngineError: it does not.
    """
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, path.stat().st_size - 4))
        tail = file.read(4)
    if not head:
        raise EngineError("The file is empty; upload one with data.")
    if head != b"PAR1" or tail != b"PAR1":
        raise EngineError(
            "The file is not Parquet or was cut short; write it again and upload it."
        )


def check_text(path: Path, on_progress: Callable[[float], None]) -> None:
    """Check that the file is UTF-8 text with lines of sane length.

    Args:
        path: the uploaded file, of any size; it is read in pieces.
        on_progress: called with the share of the file that has been read.

    Raises:
        EngineError: empty, another kind of file, another encoding, a NUL byte or
            an endless line; names the line.
    """
    size = path.stat().st_size
    if size == 0:
        raise EngineError("The file is empty; upload one with a header and rows.")
    scanner = _Scanner()
    with path.open("rb") as file:
        _check_head(file.read(8))
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            scanner.feed(chunk)
            on_progress(file.tell() / size)
    scanner.feed(b"", final=True)


def _check_head(head: bytes) -> None:
    for mark, kind in _FOREIGN.items():
        if head.startswith(mark):
            raise EngineError(
                f"The file is {kind}, not CSV; upload the table as CSV or Parquet."
            )
    for mark, encoding in _OTHER_ENCODINGS.items():
        if head.startswith(mark):
            raise EngineError(f"Line 1 is {encoding}, not UTF-8; {_SAVE_AS}")


class _Scanner:
    """Counts lines while it looks for what cannot be in a CSV file."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._lines = 0
        self._line_bytes = 0

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        nul = chunk.find(b"\0")
        if nul >= 0:
            line = self._lines + chunk.count(b"\n", 0, nul) + 1
            raise EngineError(f"Line {line:,} holds a NUL byte; {_SAVE_AS}")
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            line = self._lines + error.object.count(b"\n", 0, error.start) + 1
            byte = error.object[error.start]
            message = f"Line {line:,} is not UTF-8 text (byte 0x{byte:02X}); {_SAVE_AS}"
            raise EngineError(message) from error
        self._measure_lines(chunk)

    def _measure_lines(self, chunk: bytes) -> None:
        first = chunk.find(b"\n")
        longest = self._line_bytes + (len(chunk) if first < 0 else first)
        if longest > LONGEST_LINE_BYTES:
            raise EngineError(
                f"Line {self._lines + 1:,} is longer than 1 MB; "
                "check its quotes and line ends."
            )
        self._lines += chunk.count(b"\n")
        last = chunk.rfind(b"\n")
        self._line_bytes = longest if last < 0 else len(chunk) - last - 1
