"""Tables for spreadsheets: no cell of them can act as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

# Characters that make a spreadsheet read a cell as a formula.
FORMULA_STARTS: Final = frozenset("=+-@\t\r\n")


def guarded(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would compute."""
    return f"'{text}" if text[:1] in FORMULA_STARTS else text


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV. Numbers stay numbers, `None` is empty, texts are guarded."""
    target = io.StringIO(newline="")
    csv.writer(target).writerows([_cell(value) for value in row] for row in rows)
    return target.getvalue()


def _cell(value: object) -> object:
    return value if isinstance(value, int | float | None) else guarded(str(value))
