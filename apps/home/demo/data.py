"""Real data for the demonstration: FAA wildlife strikes, and handwritten digits."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

# Wildlife strikes 1990 to 2002, Federal Aviation Administration, US Government data, as
# shipped in the npm package vega-datasets.
STRIKES = Path("vega-datasets") / "data" / "birdstrikes.csv"
EFFECT = "Effect Amount of damage"
# Known only after the damage was found and repaired.
HINDSIGHT = (EFFECT, "Cost Other", "Cost Repair", "Cost Total $")
TARGET = "damaged"
# ISO; the reports before it are what the agency delivered first.
SECOND_DELIVERY = "2002-01-01"
DIGIT_PIXELS = 64
OWN_CODE = Path(__file__).parent / "own_code"
# The source from which the demonstration imports, and a file in it: airports of the US,
# Federal Aviation Administration, US Government data, of the same package.
SOURCE = "agency_archive"
AIRPORTS = "airports.csv"


def strikes(node_modules: Path, before: str = "") -> IO[bytes]:
    """Give the strikes with `damaged` as yes or no, without what is known too late.

    Args:
        node_modules: where npm put the package.
        before: leave out flights on this date or later; ISO, empty for all.

    Returns:
        CSV, 10,000 rows, or 9,373 before the second delivery.
    """
    with (node_modules / STRIKES).open(newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    kept = [name for name in rows[0] if name not in HINDSIGHT]
    return _csv(
        [*kept, TARGET],
        (
            [*(row[name] for name in kept), "no" if row[EFFECT] == "None" else "yes"]
            for row in rows
            if not before or row["Flight Date"] < before
        ),
    )


def digits(images: Iterable[Sequence[float]], labels: Iterable[int]) -> IO[bytes]:
    """Give digit images as one column per pixel, ink from 0 to 16, and the digit."""
    header = [f"pixel_{number:02d}" for number in range(DIGIT_PIXELS)]
    return _csv(
        [*header, "digit"],
        (
            [*(int(ink) for ink in image), f"digit {label}"]
            for image, label in zip(images, labels, strict=True)
        ),
    )


def own_code() -> IO[bytes]:
    """Pack the project that a data scientist of the demonstration wrote."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("project.yaml", "train.py"):
            archive.write(OWN_CODE / name, name)
    packed.seek(0)
    return packed


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> IO[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())
