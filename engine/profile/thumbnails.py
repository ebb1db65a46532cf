"""A few images of a column, small enough to stand in its profile."""

import base64
import io
from importlib import import_module

from engine.profile.source import Source

MOST = 12
SIDE = 72  # pixels


def thumbnails(source: Source, column: str) -> list[str]:
    """Return images from all over the table as PNG in base64, at most `MOST`."""
    # Only image datasets wait for the library.
    image = import_module("PIL.Image")
    step = max(1, source.row_count // MOST)
    found = []
    for content in source.every(column, step)[:MOST]:
        with image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            picture.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            picture.save(out, "PNG")
        found.append(base64.b64encode(out.getvalue()).decode())
    return found
