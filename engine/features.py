"""From typed Parquet to what a model sees, the same way wherever a model is used.

Every feature becomes numbers or text before the pipeline begins:

* `number`: rounded to single precision, because that is what an exported model
  computes with; missing stays missing, and so does what is too large.
* `category`: the value as text; missing is the category `''`.
* `date`: three numbers, the year, the month (1 to 12) and the weekday (1 is Monday).
* `text`: counts of its words in numbered buckets; see `engine.words`.
* `image`: its pixels, or a summary of them; see `engine.pictures`.

Number columns come first and category columns after them; the pipeline knows columns
by position, so that no name can be misread.

Categories are held as small numbers beside a list of their values: what is done to
every value is done once per distinct value. `Table.frame` gives the same rows as the
data frame that a stored pipeline takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine import pictures, words
from engine.measures import Floats
from engine.spec import Feature, Images, Task

Positions = NDArray[np.int64]
Codes = NDArray[np.int32]
Texts = NDArray[Any]

DATE_PARTS = {"year": "year", "month": "month", "weekday": "isodow"}


@dataclass(frozen=True)
class Layout:
    """Which model columns come out of which features.

    Attributes:
        numbers: number columns in the order of the model's input.
        categories: category columns, after the numbers.
        positions: feature name to the positions of its columns.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    positions: dict[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What to read of a file, and as what.

    Attributes:
        division: a column by which rows will be divided, and how: `time` or `group`.
        most_rows: draw so many of the rows by the seed where there are more.
    """

    features: Sequence[Feature]
    target: str
    task: Task
    text_buckets: int
    images: Images = field(default_factory=Images)
    division: tuple[str, str] | None = None
    most_rows: int | None = None
    seed: int = 0

    def layout(self) -> Layout:
        """Lay out the model's columns."""
        columns: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
        for feature in self.features:
            is_number = feature.kind != "category"
            for column in self._columns_of(feature):
                columns[is_number].append((feature.name, column))
        positions: dict[str, tuple[int, ...]] = {f.name: () for f in self.features}
        for place, (name, _) in enumerate(columns[True] + columns[False]):
            positions[name] += (place,)
        return Layout(
            numbers=tuple(column for _, column in columns[True]),
            categories=tuple(column for _, column in columns[False]),
            positions=positions,
        )

    def _columns_of(self, feature: Feature) -> Sequence[str]:
        match feature.kind:
            case "date":
                parts: Sequence[str] = list(DATE_PARTS)
            case "text":
                parts = words.columns(self.text_buckets)
            case "image":
                parts = pictures.columns(self.images)
            case _:
                return [feature.name]
        return [f"{feature.name} ({part})" for part in parts]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows with a known target.

    Attributes:
        rows: shape (n,), place of each row in the file, from 0.
        numbers: shape (n, p), missing is NaN.
        codes: shape (n, c), places in `levels`.
        levels: per category column the values it has in the file, sorted.
        target: shape (n,), places in `classes`, or values for regression.
        classes: labels as text, sorted; empty for regression.
        layout: which columns belong to which feature.
        division: shape (n,), ranks in time or numbers of groups; empty when rows are
            not divided by a column.
        dropped: rows of the file without a target.
        left_out: rows that a sample left out.
    """

    rows: Positions
    numbers: Floats
    codes: Codes
    levels: tuple[Texts, ...]
    target: NDArray[Any]
    classes: Texts
    layout: Layout
    division: Positions = field(default_factory=lambda: np.empty(0, np.int64))
    dropped: int = 0
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def labels(self) -> NDArray[Any]:
        """What an estimator learns: labels as text, or values."""
        return self.classes[self.target] if len(self.classes) else self.target

    def take(self, positions: Positions) -> "Table":
        """Return only the rows at `positions`."""
        return replace(
            self,
            rows=self.rows[positions],
            numbers=self.numbers[positions],
            codes=self.codes[positions],
            target=self.target[positions],
            division=self.division[positions] if len(self.division) else self.division,
            dropped=0,
            left_out=0,
        )

    def number_frame(self) -> pd.DataFrame:
        """Return the number columns under their names."""
        return pd.DataFrame(self.numbers, columns=self.layout.numbers, copy=False)

    def frame(self) -> pd.DataFrame:
        """Return the rows as a stored pipeline takes them: numbers, then text."""
        categories = {
            place: pd.Series(values[self.codes[:, place]], dtype=object)
            for place, values in enumerate(self.levels)
        }
        texts = pd.DataFrame(categories, index=range(len(self)))
        texts.columns = pd.Index(self.layout.categories, dtype=object)
        return pd.concat([self.number_frame(), texts], axis=1)
