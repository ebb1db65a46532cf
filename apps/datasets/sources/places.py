"""What every source answers, and how its paths are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

from apps.core.blobs import OnBytes
from apps.core.errors import Invalid

if TYPE_CHECKING:
    from datetime import datetime

PAGE_ENTRIES = 100
CHUNK_BYTES = 1024 * 1024
LONGEST_PATH = 1000  # characters
DEEPEST = 32  # folders


class SourceError(Invalid):
    """The file cannot be taken from there; the message says why."""

    def __init__(self, message: str, *, fields: dict[str, str] | None = None):
        super().__init__(message, fields=fields or {"path": message})


@dataclass(frozen=True)
class Entry:
    """A folder or a file of a source.

    Args:
        name: the last part of its path.
        path: below the source, parts joined by slashes.
        size_bytes: of a file; None for a folder.
        modified_at: of a file, if it is known.
    """

    name: str
    path: str
    size_bytes: int | None = None
    modified_at: datetime | None = None

    @property
    def is_folder(self) -> bool:
        """Say whether there is something below it."""
        return self.size_bytes is None


@dataclass(frozen=True)
class Listing:
    """One page of a folder, by name.

    Args:
        entries: at most `PAGE_ENTRIES`.
        after: asks for the next page; empty on the last one.
    """

    entries: list[Entry]
    after: str = ""


class Source(Protocol):
    """A place that files are brought in from, and never written to."""

    @property
    def name(self) -> str:
        """What people choose it by."""

    def listing(self, folder: str, *, begins: str, after: str) -> Listing:
        """List a folder: the names that begin with `begins`, behind `after`.

        Raises:
            SourceError: it is no folder of the source, or cannot be read.
        """

    def entry(self, path: str) -> Entry:
        """Describe one file.

        Raises:
            SourceError: it is no file of the source, or cannot be read.
        """

    def copy(self, path: str, target: IO[bytes], on_bytes: OnBytes) -> None:
        """Copy one file whole.

        Raises:
            SourceError: as `entry`, or it changed meanwhile.
        """


def parts_of(path: str) -> list[str]:
    """Part a path below a source; an empty one is the source itself.

    Raises:
        SourceError: a part is not the plain name of something below.
    """
    parts = path.split("/") if path else []
    if len(path) > LONGEST_PATH or len(parts) > DEEPEST:
        raise SourceError("The path is too long.")
    if not all(map(is_plain_name, parts)):
        raise SourceError(
            "A path has the names of folders and a file, joined by slashes; it cannot "
            "lead out of its source."
        )
    return parts


def is_plain_name(name: str) -> bool:
    """Say whether a name can be shown, typed and sent, and leads nowhere else."""
    return name not in {"", ".", ".."} and name.isprintable() and "/" not in name


def file_parts_of(path: str) -> list[str]:
    """Part the path of a file.

    Raises:
        SourceError: as `parts_of`, or the path is empty.
    """
    if not (parts := parts_of(path)):
        raise SourceError("Choose a file.")
    return parts


def changed(name: str) -> SourceError:
    """Say that a file was not the same from the first byte to the last."""
    return SourceError(
        f"{name} was changed while it was copied, so that nothing of it was kept. "
        "Import it again when it is complete."
    )
