"""What kind of file something is, guessed by its name."""

from __future__ import annotations

import mimetypes

OTHER = "application/octet-stream"


def media_type_of(path: str) -> str:
    """Guess the media type of a file; what is unknown is bytes."""
    return mimetypes.guess_type(path)[0] or OTHER
