"""JSON Lines: an object of plain values on every line.

Python reads every line strictly and learns keys and kinds; DuckDB then writes the
columns. JSON says what is text, so only dates are looked for in texts.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from engine import tables
from engine.folder import EngineError
from engine.readers import raw_bytes
from engine.readers.problems import Problems
from engine.readers.task import Task, check_names

_EXACT = 10**15  # larger whole numbers may lose digits among numbers with decimals
_INT64 = 2**63
_UINT64 = 2**64
_DATE = r"\d{4}-\d{2}-\d{2}"
_TIME = rf"{_DATE}[T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,6}})?)?Z?"
_LINES_PER_REPORT = 100_000
_NAMES = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "an object",
    type(None): "null",
}


@dataclass
class _Column:
    """What one key has held so far."""

    kinds: set[type] = field(default_factory=set)
    low: int = 0
    high: int = 0

    def take(self, value: Any) -> bool:
        """Take in a value; say whether it is of the kind of those before."""
        kind = type(value)
        if kind is int:
            self.low, self.high = min(self.low, value), max(self.high, value)
        if kind in self.kinds:
            return True
        numbers = {int, float}
        if self.kinds and not (kind in numbers and self.kinds <= numbers):
            return False
        self.kinds.add(kind)
        return True

    def sql_type(self) -> str:
        """Choose a type that gives every value back as it was written."""
        largest = max(-self.low, self.high)
        if self.kinds == {bool}:
            return "BOOLEAN"
        if self.kinds == {int}:
            return "BIGINT" if self.low >= -_INT64 and self.high < _INT64 else "VARCHAR"
        if self.kinds and self.kinds <= {int, float}:
            return "DOUBLE" if largest < _EXACT else "VARCHAR"
        return "VARCHAR"


def read(task: Task) -> dict[str, str]:
    """Write JSON Lines as Parquet; return the SQL type of each column.

    Raises:
        EngineError: lines that are not objects of plain values, or keys whose values
            change their kind; the details list up to 100 of them.
    """
    raw_bytes.check_text(
        task.path, "JSON Lines", lambda ratio: task.progress(ratio * 0.1, _CHECKING)
    )
    problems = Problems()
    lines = _Lines(problems)
    for number, line in _lines_of(task.path):
        lines.take(number, line)
        if number % _LINES_PER_REPORT == 0:
            task.folder.log(f"{number:,} lines checked.")
    problems.check()
    task.check_row_count(lines.count)
    names = check_names(list(lines.columns))
    types = {key: column.sql_type() for key, column in lines.columns.items()}
    types |= _dates(task, types, lines.columns)
    task.progress(0.6, "Writing Parquet")
    renamed = ", ".join(map(tables.name, names))
    stored = dict(zip(names, types.values(), strict=True))
    written = task.write(f"{_source(task.path, types)} AS source({renamed})", stored)
    if written != lines.count:
        raise EngineError(
            f"The file has {lines.count:,} lines by one reading and {written:,} by "
            "another; check its line ends and upload it again."
        )
    return stored


_CHECKING = "Checking the file"


def _lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, without those that are blank."""
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


class _Lines:
    """Reads one line after another and remembers what their keys hold."""

    def __init__(self, problems: Problems) -> None:
        self.columns: dict[str, _Column] = {}
        self.count = 0
        self._problems = problems
        self._decoder = json.JSONDecoder(
            object_pairs_hook=tuple, parse_constant=_refuse_constant
        )

    def take(self, number: int, line: str) -> None:
        """Check one line."""
        self.count += 1
        text = line.strip()
        try:
            pairs = self._decoder.decode(text)
        except RecursionError:
            self._problems.add(
                f"Line {number:,} is nested too deeply.", row=number, text=text
            )
            return
        except ValueError as error:
            self._note_syntax(number, text, error)
            return
        if not isinstance(pairs, tuple):
            self._problems.add(
                f"Line {number:,} is {_NAMES[type(pairs)]}, not an object with keys.",
                row=number,
                text=text,
            )
            return
        self._take_pairs(number, pairs, "\\u" in text)

    def _note_syntax(self, number: int, text: str, error: ValueError) -> None:
        what, where = str(error), 0
        if isinstance(error, json.JSONDecodeError):
            what, where = f"{error.msg} at character {error.pos + 1:,}", error.pos
        self._problems.add(
            f"Line {number:,} is not JSON ({what}).",
            row=number,
            text=text[max(0, where - 20) : where + 180],
        )

    def _take_pairs(
        self, number: int, pairs: tuple[tuple[str, Any], ...], has_escapes: bool
    ) -> None:
        if len(dict(pairs)) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            self._note(number, twice, twice, "stands twice on the line; keep one.")
        for key, value in pairs:
            if has_escapes:
                self._check_text(number, key, key)
                self._check_text(number, key, value)
            column = self.columns.setdefault(key, _Column())
            if value is None:
                continue
            kind = type(value)
            if kind is list or kind is tuple:
                shown = json.dumps(dict(value) if kind is tuple else value)
                what = f"holds {_NAMES[kind]}; give every value a key of its own."
                self._note(number, key, shown, what)
            elif kind is int and not -_INT64 <= value < _UINT64:
                what = "is a number of more than 19 digits; write it as text."
                self._note(number, key, str(value), what)
            elif not column.take(value):
                self._note_kind(number, key, value, column)

    def _check_text(self, number: int, key: str, value: Any) -> None:
        """Note what an escape in JSON can say, but no text in a database can hold."""
        shown = ascii(value)[1:-1].replace("\\x00", "\\u0000")
        if isinstance(value, str) and "\0" in value:
            self._note(number, key, shown, "holds a NUL character; leave it out.")
        elif isinstance(value, str) and re.search("[\ud800-\udfff]", value):
            self._note(number, key, shown, "holds half a character; write it whole.")

    def _note_kind(self, number: int, key: str, value: Any, column: _Column) -> None:
        before = sorted({_NAMES[kind] for kind in column.kinds})[0]
        shown = json.dumps(value, ensure_ascii=False)
        what = f"{shown[:60]} is {_NAMES[type(value)]}, but the lines before hold "
        self._note(number, key, shown, f"{what}{before}.")

    def _note(self, number: int, key: str, text: str, what: str) -> None:
        name = key.encode(errors="replace").decode().replace("\0", "?")
        message = f'Line {number:,}, key "{name[:100]}": {what}'
        self._problems.add(message, row=number, column=name, text=text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number; use null")


def _source(path: Path, types: dict[str, str]) -> str:
    columns = ", ".join(
        f"{tables.text(key)}: {tables.text(kind)}" for key, kind in types.items()
    )
    return (
        f"read_json({tables.text(path)}, format = 'newline_delimited', "
        f"columns = {{{columns}}}, maximum_object_size = "
        f"{2 * raw_bytes.LONGEST_LINE_BYTES})"
    )


def _dates(
    task: Task, types: dict[str, str], columns: dict[str, _Column]
) -> dict[str, str]:
    """Find the texts that are dates or times in every line that has one."""
    texts = [key for key in types if columns[key].kinds == {str}]
    if not texts:
        return {}
    questions = ", ".join(
        f"bool_and(regexp_full_match({name}, '{pattern}') "
        f"AND TRY_CAST({name} AS {kind}) IS NOT NULL) FILTER ({name} IS NOT NULL)"
        for name in map(tables.name, texts)
        for kind, pattern in (("DATE", _DATE), ("TIMESTAMP", _TIME))
    )
    source = _source(task.path, dict.fromkeys(types, "VARCHAR"))
    answers = task.database.execute(f"SELECT {questions} FROM {source}").fetchall()[0]
    pairs = zip(texts, answers[::2], answers[1::2], strict=True)
    return {key: "DATE" if day else "TIMESTAMP" for key, day, at in pairs if day or at}
