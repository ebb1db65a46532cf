"""Pictures as numbers: their pixels, or a short summary of what they look like."""

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.measures import Floats
from engine.spec import Images

COLOURS = ("red", "green", "blue")
COLOUR_BINS = 8
DIRECTIONS = 8
MOST_PIXELS = 64_000_000
_WHITE = 255.0
_LEAST_EDGE = 1e-9


def columns(images: Images) -> list[str]:
    """Name the numbers of a picture."""
    if images.method == "pixels":
        side = range(1, images.size + 1)
        return [f"pixel {row}.{column}" for row in side for column in side]
    return [
        "brightness",
        "contrast",
        *(f"{name} {n}" for name in COLOURS for n in range(1, COLOUR_BINS + 1)),
        "edges",
        *(f"edge direction {n}" for n in range(1, DIRECTIONS + 1)),
    ]


def numbers(content: bytes, images: Images) -> Floats:
    """Turn a PNG into the numbers named by `columns`, each from 0 to 1.

    Raises:
        ValueError: it is not a picture that can be read, or one far too large.
    """
    picture = _open(content, images.size)
    if images.method == "pixels":
        return _grey(picture).ravel()
    return _summary(picture)


def _open(content: bytes, size: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValueError("has too many pixels")
                plain = picture.convert("RGB")
    except (OSError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise ValueError("is not a picture that can be read") from error
    return plain.resize((size, size), Image.Resampling.BOX)


def _grey(picture: Image.Image) -> Floats:
    found: NDArray[np.uint8] = np.asarray(picture.convert("L"))
    return found.astype(np.float32).astype(np.float64) / _WHITE


def _summary(picture: Image.Image) -> Floats:
    grey, colours = _grey(picture), np.asarray(picture)
    share = grey.size
    histograms = [
        np.bincount(
            (colours[:, :, place] // (256 // COLOUR_BINS)).ravel(),
            minlength=COLOUR_BINS,
        )
        / share
        for place in range(len(COLOURS))
    ]
    light = np.array([grey.mean(), grey.std()])
    found: list[Floats] = [light, *histograms, *_edges(grey)]
    return np.concatenate(found).astype(np.float32).astype(np.float64)


def _edges(grey: Floats) -> list[Floats]:
    """Return the mean strength of the edges, and how it spreads over directions."""
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    turn = np.arctan2(down, right) % np.pi / np.pi
    places = np.minimum((turn * DIRECTIONS).astype(int), DIRECTIONS - 1)
    spread = np.bincount(places.ravel(), strength.ravel(), minlength=DIRECTIONS)
    return [np.array([strength.mean()]), spread / max(spread.sum(), _LEAST_EDGE)]
