"""A column of pictures as tensors of an ONNX model, a batch at a time.

A cell holds either the file of a picture (PNG or JPEG) or the numbers themselves, as
their author prepared them. Pictures are read while the model answers and are never all
in memory.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import duckdb
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import tables
from engine.folder import EngineError
from engine.pictures import MOST_PIXELS
from engine.spec.decode import Ranges, require, require_ranges

Singles = NDArray[np.float32]
MOST_NUMBERS = 4_000_000  # of one picture: 16 MB
_MODES = {1: "L", 3: "RGB"}
_FORMATS = ("PNG", "JPEG")


@dataclass(frozen=True)
class Tensor:
    """What a model takes for one picture.

    Attributes:
        layout: order of the axes; N is the row, C the channel.
        channels: of a picture's file 1 (grey) or 3 (red, green, blue).
        height: of the tensor; a file of another size is scaled to it.
        divisor: by which the 0 to 255 of a file are divided.
        mean: then taken off, one number per channel.
        std: then divided by, one number per channel.
    """

    RANGES: ClassVar[Ranges] = {
        "channels": (1, 64),
        "height": (1, 8192),
        "width": (1, 8192),
    }
    layout: Literal["NCHW", "NHWC"]
    channels: int
    height: int
    width: int
    divisor: float = 255.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require_ranges(self)
        require(self.size <= MOST_NUMBERS, "width", "makes pictures too large.")
        require(self.divisor > 0, "divisor", "must be above 0.")
        for field in ("mean", "std"):
            given = len(getattr(self, field))
            fits = given in (0, self.channels)
            require(fits, field, "must have one number per channel.")
        require(all(value > 0 for value in self.std), "std", "must be above 0.")

    @property
    def size(self) -> int:
        """How many numbers one picture is."""
        return self.channels * self.height * self.width

    @property
    def shape(self) -> tuple[int, int, int]:
        """Axes of one picture in their order."""
        if self.layout == "NCHW":
            return (self.channels, self.height, self.width)
        return (self.height, self.width, self.channels)

    def of(self, cell: Any) -> Singles:
        """Turn one cell into the numbers that the model takes.

        Raises:
            ValueError: what is wrong with it, to be put behind the number of its row.
        """
        if isinstance(cell, bytes):
            return self._of_file(cell)
        if not isinstance(cell, (list, tuple)):
            raise ValueError("holds no picture")
        try:
            numbers = np.asarray(cell, dtype=np.float32).ravel()
        except (TypeError, ValueError) as error:
            raise ValueError("holds a list of something else than numbers") from error
        if numbers.size != self.size:
            raise ValueError(f"holds {numbers.size:,} numbers, not {self.size:,}")
        if not np.isfinite(numbers).all():
            raise ValueError("holds a number that is missing or infinite")
        return numbers.reshape(self.shape)

    def _of_file(self, content: bytes) -> Singles:
        mode = _MODES.get(self.channels)
        if mode is None:
            raise ValueError(
                f"holds the file of a picture, which has no {self.channels} channels"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
                    if picture.width * picture.height > MOST_PIXELS:
                        raise ValueError("has too many pixels")
                    drawn = picture.convert(mode)
        except (OSError, SyntaxError, Warning, Image.DecompressionBombError) as error:
            raise ValueError("is not a picture that can be read") from error
        if drawn.size != (self.width, self.height):
            wanted = (self.width, self.height)
            drawn = drawn.resize(wanted, Image.Resampling.BILINEAR)
        values: Any = np.asarray(drawn, dtype=np.float32) / np.float32(self.divisor)
        values = values.reshape(self.height, self.width, self.channels)
        if self.mean:
            values = values - np.asarray(self.mean, np.float32)
        if self.std:
            values = values / np.asarray(self.std, np.float32)
        found: Singles = values
        return found.transpose(2, 0, 1) if self.layout == "NCHW" else found


@dataclass(frozen=True)
class Pictures:
    """The pictures of one column of a file.

    Attributes:
        path: a Parquet file that `database` may read.
    """

    database: duckdb.DuckDBPyConnection
    path: Path
    column: str
    tensor: Tensor

    def batches(
        self, rows: NDArray[np.int64], size: int
    ) -> Iterator[tuple[NDArray[np.int64], Singles]]:
        """Yield places in `rows` and their pictures, shape (b, …), at most `size`.

        Args:
            rows: places in the file, rising, each once.
            size: of a batch.

        Raises:
            EngineError: the column is not there, or a cell holds no such picture.
        """
        start = 0
        stack: list[Singles] = []
        for row, cell in self._cells(rows, size):
            place = start + len(stack)
            if row != rows[place]:
                continue
            stack.append(self._picture(row, cell))
            if len(stack) == size:
                yield np.arange(start, place + 1), np.stack(stack)
                start, stack = place + 1, []
            if place + 1 == len(rows):
                break
        if stack:
            yield np.arange(start, start + len(stack)), np.stack(stack)

    def _cells(self, rows: NDArray[np.int64], size: int) -> Iterator[tuple[int, Any]]:
        """Yield the cells between the first and the last row, in their order."""
        if not len(rows):
            return
        query = (
            f"SELECT file_row_number, {tables.name(self.column)} FROM "
            f"read_parquet({tables.text(self.path)}, file_row_number = true) "
            f"WHERE file_row_number BETWEEN {rows[0]} AND {rows[-1]} "
            "ORDER BY file_row_number"
        )
        # A cursor of its own: the connection may be asked for more meanwhile.
        with self.database.cursor() as cursor:
            try:
                cursor.execute(query)
            except duckdb.BinderException as error:
                raise EngineError(
                    f'The column of pictures "{self.column}" is not in the data; '
                    "evaluate on data that has it."
                ) from error
            while batch := cursor.fetchmany(size):
                yield from batch

    def _picture(self, row: int, cell: Any) -> Singles:
        try:
            return self.tensor.of(cell)
        except ValueError as error:
            raise EngineError(
                f'Row {row + 1:,} of "{self.column}" {error}; correct it or leave it '
                "out."
            ) from error
