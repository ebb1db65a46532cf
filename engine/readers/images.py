"""A zip archive of images becomes a table: file, label, width, height, image.

Labels are the names of the folders, or stand in `labels.csv` or `metadata.csv` with the
columns `file` and `label`. Every image is drawn anew as PNG, so that nothing hidden in
it (place, camera, comments, something appended) comes along.
"""

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from engine.folder import MOST_DETAILS, EngineError
from engine.readers import archive, raw_bytes
from engine.readers.labels import Labels, is_table
from engine.readers.problems import Problems
from engine.readers.task import Task

MOST_PIXELS = 50_000_000
TYPES = {
    "file": "VARCHAR",
    "label": "VARCHAR",
    "width": "BIGINT",
    "height": "BIGINT",
    "image": "BLOB",
}
_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
_KINDS = tuple(sorted(set(_FORMATS.values())))
_BATCH = 64
Row = tuple[str, str | None, int, int, bytes]


def read(task: Task) -> dict[str, str]:
    """Write the images of a zip archive as Parquet; return the SQL types.

    Raises:
        EngineError: the archive could harm, an image cannot be read or has no label;
            the details list up to 100 entries.
    """
    with archive.opened(task.path, task.spec.max_unpacked_bytes) as (opened, entries):
        problems = Problems()
        pictures = _pictures(entries, problems)
        by_name = Labels.of(opened, entries, pictures, problems)
        task.check_row_count(len(pictures))
        columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
        task.database.execute(f"CREATE TABLE images ({columns})")
        rows = _rows(task, opened, pictures, by_name, problems)
        _store(task, rows)
    problems.check(hint="Correct the archive and upload it again.")
    task.progress(0.9, "Writing Parquet")
    task.write("images", TYPES)
    task.database.execute("DROP TABLE images")
    return TYPES


def _pictures(
    entries: Sequence[zipfile.ZipInfo], problems: Problems
) -> list[zipfile.ZipInfo]:
    """Choose the images, in the order of their names; note what is something else."""
    found = []
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.suffix.lower() in _FORMATS:
            found.append(entry)
        elif not is_table(path):
            _note(problems, entry, f"is not an image ({', '.join(_FORMATS)})")
    if not found and not problems:
        raise EngineError("The archive holds no images; put some into it.")
    return sorted(found, key=lambda entry: entry.filename)


def _note(problems: Problems, entry: zipfile.ZipInfo, what: str) -> None:
    name = entry.filename[:200]
    problems.add(f'Entry "{name}" {what}.', text=entry.filename)


def _rows(
    task: Task,
    opened: zipfile.ZipFile,
    pictures: Sequence[zipfile.ZipInfo],
    labels: Labels,
    problems: Problems,
) -> Iterator[Row]:
    """Read one image after another; note those that cannot be used."""
    scaled = 0
    for done, entry in enumerate(pictures, start=1):
        label = labels.find(entry.filename)
        if label is None:
            _note(problems, entry, "has no label: no folder and no row of a table")
        try:
            picture, was_scaled = _redraw(
                archive.read_entry(opened, entry), entry, task.spec.largest_side
            )
        except EngineError as error:
            problems.add(error.message, text=entry.filename)
            if problems.count >= MOST_DETAILS:
                return
            continue
        scaled += was_scaled
        if not problems:
            yield (entry.filename, label, *picture)
        task.progress(0.8 * done / len(pictures), "Reading images")
    if scaled:
        side = task.spec.largest_side
        task.folder.log(f"{scaled:,} images were scaled down to {side:,} pixels.")


def _redraw(
    content: bytes, entry: zipfile.ZipInfo, largest_side: int
) -> tuple[tuple[int, int, bytes], bool]:
    """Draw an image anew: upright, in grey or colour, no larger than allowed.

    Returns:
        Width, height and PNG, and whether it was scaled down.

    Raises:
        EngineError: it is broken, too large, another kind than its name says, or
            several pictures in one.
    """
    name = f'Entry "{entry.filename[:200]}"'
    expected = _FORMATS[PurePosixPath(entry.filename).suffix.lower()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_KINDS) as raw:
                _check_picture(raw, name, expected)
                drawn = _in_eight_bits(ImageOps.exif_transpose(raw))
    except EngineError:
        raise
    except UnidentifiedImageError as error:
        found = raw_bytes.kind_of(content[:16]) or "no image that can be read"
        raise EngineError(f"{name} is {found}.") from error
    except Exception as error:
        reason = str(error).splitlines()[0][:100] if str(error) else "broken"
        raise EngineError(f"{name} cannot be read ({reason}).") from error
    is_large = max(drawn.size) > largest_side
    if is_large:
        drawn.thumbnail((largest_side, largest_side))
    drawn.info.clear()
    out = io.BytesIO()
    drawn.save(out, "PNG", compress_level=6)
    return (drawn.width, drawn.height, out.getvalue()), is_large


def _check_picture(raw: Any, name: str, expected: str) -> None:
    """Check what an image says of itself, before its pixels are unpacked."""
    if raw.format != expected:
        raise EngineError(f"{name} is a {raw.format} image, not {expected}.")
    if raw.width * raw.height > MOST_PIXELS:
        raise EngineError(
            f"{name} has {raw.width:,} × {raw.height:,} pixels, more than "
            f"{MOST_PIXELS // 1_000_000} million; scale it down."
        )
    if getattr(raw, "n_frames", 1) > 1:
        raise EngineError(
            f"{name} holds {raw.n_frames:,} pictures; save them one by one."
        )


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Return grey or colour with eight bits a channel and without transparency."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda shade: shade / 256).convert("L")
    return image.convert("L" if image.mode in ("1", "L", "LA", "F") else "RGB")


def _store(task: Task, rows: Iterator[Row]) -> None:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            _insert(task, batch)
            batch = []
    if batch:
        _insert(task, batch)


def _insert(task: Task, batch: list[Row]) -> None:
    task.database.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?)", batch)
