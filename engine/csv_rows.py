"""The shape of a CSV file: its delimiter, its header, and as many fields per row.

Row numbers are those of a spreadsheet: the header is row 1.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.folder import MOST_DETAILS, EngineError, Json

DELIMITERS = (",", ";", "\t", "|")
MOST_COLUMNS = 2_000
LONGEST_FIELD = 1024 * 1024
LONGEST_QUOTE = 200
_ROWS_PER_REPORT = 100_000
_NO_HEADER = "Row 1 holds no column names; put a header there."


@dataclass(frozen=True)
class Shape:
    """What is known about a CSV file before its values are typed."""

    delimiter: str
    columns: tuple[str, ...]
    row_count: int


def read_shape(path: Path, on_rows: Callable[[int], None]) -> Shape:
    """Read the whole file once, strictly, keeping nothing.

    Args:
        path: a file that `raw_bytes.check_text` has passed.
        on_rows: called now and then with the number of rows read.

    Raises:
        EngineError: the header is unusable, no row follows, a quote is not closed
            or rows have too many or too few fields; names rows and columns.
    """
    delimiter = _delimiter(path)
    rows = _rows(path, delimiter)
    columns = check_names(next(rows, (1, []))[1])
    wrong: list[Json] = []
    wrong_count = count = 0
    for number, row in rows:
        count += 1
        if len(row) != len(columns):
            wrong_count += 1
            if len(wrong) < MOST_DETAILS:
                wrong.append(_ragged(number, row, columns, delimiter))
        if count % _ROWS_PER_REPORT == 0:
            on_rows(count)
    if wrong:
        raise EngineError(_first_of(wrong, wrong_count), details=wrong)
    if count == 0:
        raise EngineError("The file has a header but no rows; upload one with data.")
    return Shape(delimiter, columns, count)


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the column names, trimmed.

    Raises:
        EngineError: none, too many, an empty one, or two that differ only in case.
    """
    trimmed = tuple(name.strip() for name in names)
    if not any(trimmed):
        raise EngineError(_NO_HEADER)
    if len(trimmed) > MOST_COLUMNS:
        raise EngineError(
            f"The file has {len(trimmed):,} columns, more than {MOST_COLUMNS:,}; "
            "leave out what is not needed."
        )
    seen: dict[str, int] = {}
    for position, name in enumerate(trimmed, start=1):
        if not name:
            raise EngineError(f"Column {position:,} has no name in row 1; give it one.")
        if name.casefold() in seen:
            raise EngineError(
                f'Columns {seen[name.casefold()]:,} and {position:,} are both named "'
                f'{name}"; rename one (upper and lower case count as the same).'
            )
        seen[name.casefold()] = position
    return trimmed


def _delimiter(path: Path) -> str:
    """Choose the delimiter that divides the header into the most names."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline().rstrip("\r\n")
    if not line:
        raise EngineError(_NO_HEADER)
    counts = {
        mark: len(next(csv.reader([line], delimiter=mark))) for mark in DELIMITERS
    }
    return max(DELIMITERS, key=lambda mark: counts[mark])


def _rows(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every row with its number; a blank line is one if there is one column."""
    csv.field_size_limit(LONGEST_FIELD)
    number = width = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(
            file, delimiter=delimiter, strict=True, skipinitialspace=True
        )
        try:
            for row in reader:
                if row or width == 1:
                    number += 1
                    width = width or len(row)
                    yield number, row or [""]
        except csv.Error as error:
            raise EngineError(
                f"Row {number + 1:,} has a quote that is not closed or not doubled "
                f"({error}); correct it and upload the file again."
            ) from error


def _ragged(
    number: int, row: list[str], columns: Sequence[str], delimiter: str
) -> Json:
    is_longer = len(row) > len(columns)
    place = "extra fields follow" if is_longer else "it ends before"
    column = columns[-1] if is_longer else columns[len(row)]
    return {
        "row": number,
        "column": column,
        "message": f"Row {number:,} has {len(row):,} fields instead of "
        f'{len(columns):,}; {place} column "{column}".',
        "text": delimiter.join(row)[:LONGEST_QUOTE],
    }


def _first_of(wrong: list[Json], count: int) -> str:
    more = f" {count - 1:,} more rows have a wrong number too." if count > 1 else ""
    return f"{wrong[0]['message']}{more} Correct the file and upload it again."
