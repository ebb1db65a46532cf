"""Zip archives, looked through before anything in them is unpacked."""

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from engine.folder import EngineError
from engine.readers import raw_bytes
from engine.readers.problems import Problems

MOST_ENTRIES = 100_000
MOST_RATIO = 200  # of one entry and of all; images hardly pack at all
FREE_BYTES = 1024 * 1024
_END_BYTES = 22  # of the record at the end of a zip archive that has no comment
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CLUTTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


@contextmanager
def opened(
    path: Path, most_bytes: int
) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """Open an archive that has passed every check, with its plain files.

    Raises:
        EngineError: it is no archive, also something else, or holds what could harm.
    """
    _check_bytes(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive, _check_entries(archive, path, most_bytes)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise EngineError(f"The archive is broken ({error}); pack it again.") from error


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Unpack one entry, never further than it says to be large.

    Raises:
        EngineError: it cannot be unpacked, or is another archive.
    """
    try:
        with archive.open(entry) as file:
            content = file.read(entry.file_size + 1)
    except Exception as error:
        raise EngineError(
            f'Entry "{entry.filename[:200]}" cannot be unpacked ({error}).'
        ) from error
    return content


def _check_bytes(path: Path) -> None:
    """Check that the archive begins at the first byte and ends at the last."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(1024)
        file.seek(max(0, size - _END_BYTES))
        tail = file.read()
    if not head:
        raise EngineError("The file is empty; upload one with data.")
    if tail.startswith(b"PK\x05\x06") and size == _END_BYTES:
        raise EngineError("The archive holds nothing; put images into it.")
    if not head.startswith(b"PK\x03\x04"):
        found = raw_bytes.kind_of(head) or "something else"
        raise EngineError(
            f"The file is {found}, not a zip archive; upload it under its true name."
        )
    if b"%PDF-" in head:
        raise EngineError("The file is a zip archive and a PDF at once; pack it anew.")
    if not tail.startswith(b"PK\x05\x06"):
        raise EngineError(
            "The archive was cut short, or something follows after its end; pack it "
            "again without a comment."
        )


def _check_entries(
    archive: zipfile.ZipFile, path: Path, most_bytes: int
) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise EngineError(
            f"The archive holds {len(entries):,} entries, more than {MOST_ENTRIES:,}; "
            "upload it in parts."
        )
    total = sum(entry.file_size for entry in entries)
    if total > most_bytes:
        raise EngineError(
            f"The archive unpacks to {total:,} bytes, more than the {most_bytes:,} "
            "allowed; upload it in parts."
        )
    if total > FREE_BYTES and total > MOST_RATIO * path.stat().st_size:
        raise EngineError(
            f"The archive unpacks to more than {MOST_RATIO} times its size, as a "
            "decompression bomb does; upload less at once."
        )
    problems, seen = Problems(), set[str]()
    _note_overlaps(problems, entries, archive)
    for entry in entries:
        key = entry.filename.casefold()
        if what := _harm_of(entry) or (key in seen and "is there twice"):
            name = entry.filename[:200]
            problems.add(f'Entry "{name}" {what}.', text=entry.filename)
        seen.add(key)
    problems.check(hint="Pack the archive again without.")
    return [entry for entry in entries if not _is_clutter(entry)]


def _harm_of(entry: zipfile.ZipInfo) -> str | None:
    """Say what is wrong with an entry, judged by its header alone."""
    name = entry.orig_filename
    path = PurePosixPath(name)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    too_packed = entry.file_size > MOST_RATIO * max(1, entry.compress_size)
    harms = {
        "has a name that cannot be printed": not name.isprintable(),
        "has an absolute name": path.is_absolute() or name[1:2] == ":",
        "leads out of the archive": ".." in path.parts,
        "has a backslash in its name": "\\" in name,
        "is a link": stat.S_ISLNK(kind),
        "is not a plain file": kind
        not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK),
        "is encrypted": bool(entry.flag_bits & 0x1),
        "is packed in a way that is not read here": entry.compress_type not in _METHODS,
        "is an archive itself": name.lower().endswith(_ARCHIVES),
        f"unpacks to more than {MOST_RATIO} times its size": too_packed
        and entry.file_size > FREE_BYTES,
    }
    return next((what for what, is_so in harms.items() if is_so), None)


def _note_overlaps(
    problems: Problems, entries: list[zipfile.ZipInfo], archive: zipfile.ZipFile
) -> None:
    """Note entries that share their bytes, as bombs without much data do."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    ends = [entry.header_offset for entry in ordered[1:]] + [archive.start_dir]
    for entry, end in zip(ordered, ends, strict=True):
        if entry.header_offset + 30 + entry.compress_size > end:
            name = entry.filename[:200]
            problems.add(f'Entry "{name}" overlaps another.', text=entry.filename)


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    """Whether it is a folder or what operating systems leave behind."""
    parts = PurePosixPath(entry.filename).parts
    return entry.is_dir() or any(part in _CLUTTER for part in parts)
