"""A first look at a file, byte by byte, before any parser sees it."""

import codecs
from collections.abc import Callable
from pathlib import Path

from engine.folder import MOST_DETAILS, EngineError
from engine.readers.problems import Problems

CHUNK_BYTES = 64 * 1024  # larger ones took twice as long: they leave the cache
_REPORT_BYTES = 128 * CHUNK_BYTES
LONGEST_LINE_BYTES = 1024 * 1024

FOREIGN = {
    b"PK\x03\x04": "a zip archive or Excel workbook",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"Rar!": "a RAR archive",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file of version 1",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x89PNG": "a PNG image",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"SQLite format 3": "an SQLite database",
}
_OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_SAVE_AS = "save the file as UTF-8 and upload it again."


def kind_of(head: bytes) -> str | None:
    """Name the kind of a file that gives itself away by its first bytes."""
    return next((kind for mark, kind in FOREIGN.items() if head.startswith(mark)), None)


def check_text(
    path: Path,
    kind: str,
    on_progress: Callable[[float], None],
    on_chunk: Callable[[bytes], None] | None = None,
) -> None:
    """Check that the file is UTF-8 text with lines of sane length.

    Args:
        path: the uploaded file, of any size; it is read in pieces.
        kind: what it should be, such as `CSV`.
        on_progress: called with the share of the file that has been read.
        on_chunk: is given every piece in order, so that one reading serves two.

    Raises:
        EngineError: empty, another kind of file, another encoding, NUL bytes or
            an endless line; names every line.
    """
    size = path.stat().st_size
    if size == 0:
        raise EngineError("The file is empty; upload one with a header and rows.")
    scanner = _Scanner()
    with path.open("rb") as file:
        _check_head(file.read(16), kind)
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            if not scanner.passes(chunk):
                break
            if on_chunk:
                on_chunk(chunk)
            if file.tell() % _REPORT_BYTES == 0:
                on_progress(file.tell() / size)
    if not scanner.passes(b"", final=True):
        _name_lines(path)


def _check_head(head: bytes, kind: str) -> None:
    if found := kind_of(head):
        raise EngineError(
            f"The file is {found}, not {kind}; upload it under its true name or save "
            f"the table as {kind}."
        )
    for mark, encoding in _OTHER_ENCODINGS.items():
        if head.startswith(mark):
            raise EngineError(f"Line 1 is {encoding}, not UTF-8; {_SAVE_AS}")


class _Scanner:
    """Looks for what cannot be in a text file, as fast as the machine reads."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._line_bytes = 0
        self._passes = True

    def passes(self, chunk: bytes, *, final: bool = False) -> bool:
        self._passes = (
            self._passes
            and b"\0" not in chunk
            and self._decodes(chunk, final)
            and self._has_short_lines(chunk)
        )
        return self._passes

    def _decodes(self, chunk: bytes, final: bool) -> bool:
        if chunk.isascii() and not self._decoder.getstate()[0]:
            return True
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            return False
        return True

    def _has_short_lines(self, chunk: bytes) -> bool:
        # A line longer than a piece goes on through several.
        first = chunk.find(b"\n")
        longest = self._line_bytes + (len(chunk) if first < 0 else first)
        last = chunk.rfind(b"\n")
        self._line_bytes = longest if last < 0 else len(chunk) - last - 1
        return longest <= LONGEST_LINE_BYTES


def _name_lines(path: Path) -> None:
    """Read anew, a line at a time, and say which ones are wrong."""
    problems = Problems()
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE_BYTES + 1):
            number += 1
            if problem := _problem_of(line):
                text = line[:1000].decode(errors="replace").rstrip("\r\n")
                text = text.replace("\0", "\N{SYMBOL FOR NULL}")
                message = f"Line {number:,} {problem}"
                problems.add(message, row=number, text=text)
            if len(line) > LONGEST_LINE_BYTES or problems.count >= MOST_DETAILS:
                break
    problems.check(hint="")


def _problem_of(line: bytes) -> str | None:
    if len(line) > LONGEST_LINE_BYTES:
        return "is longer than 1 MB; check its quotes and line ends."
    if b"\0" in line:
        return f"holds a NUL byte; {_SAVE_AS}"
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return f"is not UTF-8 text (byte 0x{line[error.start]:02X}); {_SAVE_AS}"
    return None
