"""The shape of a CSV file: its delimiter, its header, and as many fields per row.

Row numbers are those of a spreadsheet: the header is row 1.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from engine.folder import EngineError
from engine.readers import raw_bytes
from engine.readers.csv_scan import PlainCsv
from engine.readers.problems import Problems
from engine.readers.task import check_names

DELIMITERS = (",", ";", "\t", "|")
LONGEST_FIELD = 1024 * 1024
_NO_HEADER = "Row 1 holds no column names; put a header there."


@dataclass(frozen=True)
class Shape:
    """What is known about a CSV file before its values are typed.

    Attributes:
        row_count: below the header.
        suspects: columns with a field that a number might not give back as written.
        is_plain: every record was proved to be well-formed, byte by byte.
        is_whole: the file could be read to its end.
    """

    delimiter: str
    columns: tuple[str, ...]
    row_count: int
    suspects: frozenset[str]
    is_plain: bool = True
    is_whole: bool = True


def read_shape(
    path: Path,
    kind: str,
    problems: Problems,
    on_progress: Callable[[float], None],
) -> Shape:
    """Read the whole file once, keeping nothing; a second time if it is not plain.

    Args:
        path: an uploaded file, of any size.
        kind: `csv`, with any delimiter, or `tsv`.
        problems: is given every row with too many or too few fields, and a quote
            that is not closed, which ends the reading.
        on_progress: called with the share of the file that has been read.

    Raises:
        EngineError: not text at all, no usable header or no row after it.
    """
    header = _Header.of(path, kind)
    plain = PlainCsv(header.delimiter, len(header.names))
    raw_bytes.check_text(path, kind.upper(), on_progress, plain.feed)
    plain.finish()
    header.check(kind)
    columns = check_names(header.names)
    suspects = frozenset(columns[place] for place in plain.suspects)
    shape = Shape(header.delimiter, columns, plain.records - 1, suspects)
    if not plain.is_plain:
        shape = _read_strictly(path, header.delimiter, columns, problems)
    if shape.row_count == 0 and not problems:
        raise EngineError("The file has a header but no rows; upload one with data.")
    return shape


@dataclass(frozen=True)
class _Header:
    """The first record, read before anything is known about the file."""

    delimiter: str
    names: tuple[str, ...]
    line: str

    @classmethod
    def of(cls, path: Path, kind: str) -> "_Header":
        """Read names by the delimiter that divides the first line into the most."""
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            line = file.readline(2 * LONGEST_FIELD).rstrip("\r\n")
            file.seek(0)
            marks = DELIMITERS if kind == "csv" else ("\t",)
            best = max(marks, key=lambda mark: len(_fields([line], mark)))
            return cls(best, tuple(_fields(file, best)), line)

    def check(self, kind: str) -> None:
        """Check that there are names, divided as the file's name says.

        Raises:
            EngineError: an empty line, or a TSV whose header is divided by commas.
        """
        if not self.line:
            raise EngineError(_NO_HEADER)
        widths = {mark: len(_fields([self.line], mark)) for mark in DELIMITERS}
        best = max(DELIMITERS, key=lambda mark: widths[mark])
        if kind == "tsv" and len(self.names) == 1 and widths[best] > 1:
            raise EngineError(
                f'The file is named as TSV, but row 1 is divided by "{best}" and not '
                "by tabs; rename it to .csv or save it with tabs."
            )


def _fields(lines: Iterable[str], delimiter: str) -> list[str]:
    """Read the first record; an endless one is left to those who read strictly."""
    csv.field_size_limit(LONGEST_FIELD)
    try:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        return next(reader, []) or [""]
    except csv.Error:
        return [""]


def _read_strictly(
    path: Path, delimiter: str, columns: Sequence[str], problems: Problems
) -> Shape:
    """Count the rows and name those that are wrong.

    A blank line is a row only if there is one column.
    """
    number = line = 0
    is_whole = True
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(
            file, delimiter=delimiter, strict=True, skipinitialspace=True
        )
        try:
            for row in reader:
                line = reader.line_num
                number += bool(row) or len(columns) == 1
                if row and len(row) != len(columns):
                    _note_ragged(problems, number, row, columns, delimiter)
        except csv.Error as error:
            is_whole = False
            _note_quote(problems, number + 1, error, _line_of(path, line + 1))
    suspects = frozenset(columns)
    return Shape(delimiter, tuple(columns), number - 1, suspects, False, is_whole)


def _line_of(path: Path, number: int) -> str:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(islice(file, number - 1, None), "").rstrip("\r\n")


def _note_quote(problems: Problems, number: int, error: csv.Error, text: str) -> None:
    problems.add(
        f"Row {number:,} has a quote that is not closed or not doubled ({error}); "
        "the rows after it could not be checked.",
        row=number,
        text=text,
    )


def _note_ragged(
    problems: Problems,
    number: int,
    row: Sequence[str],
    columns: Sequence[str],
    delimiter: str,
) -> None:
    is_longer = len(row) > len(columns)
    place = "extra fields follow" if is_longer else "it ends before"
    column = columns[-1] if is_longer else columns[len(row)]
    problems.add(
        f"Row {number:,} has {len(row):,} fields instead of {len(columns):,}; "
        f'{place} column "{column}".',
        row=number,
        column=column,
        text=delimiter.join(row),
        columns=columns,
    )
