"""One broken file."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """A file that must be refused.

    Attributes:
        name: as it is uploaded; its ending says the format.
        content: its bytes, or what makes them.
        message: what the refusal says, after the name of the file.
        places: row, column and beginning of the text of each place in the details.
        options: what else the spec says.
    """

    id: str
    name: str
    content: bytes | Callable[[], bytes]
    message: str
    places: tuple[tuple[int | None, str | None, str], ...] = ()
    options: tuple[tuple[str, int], ...] = ()

    def make(self) -> bytes:
        """Return the content."""
        return self.content if isinstance(self.content, bytes) else self.content()
