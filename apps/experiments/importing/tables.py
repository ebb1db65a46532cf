"""A run as one small file: JSON, or CSV, of parameters and metrics."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from apps.core.plain_yaml import UNSTORABLE
from apps.experiments.actions.logging import LoggedPoint
from apps.experiments.importing.records import SourceRun, TooManyPoints, Unreadable

KNOWN = ("name", "parameters", "metrics", "tags")
COLUMNS = ["kind", "key", "value", "step"]
KINDS = "parameter, metric or tag"
LARGEST_TEXT = 20 * 1024 * 1024
MOST_POINTS = 1_000_000  # of one run in a file
MOST_VALUES = 20_000  # parameters, or tags
LONGEST_NUMBER = 400  # characters; no figure says more than a computer can hold
SHOWN = 40
# No text can be read by it in two ways, so that it is read once.
_NUMBER = re.compile(
    r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]+)?|nan|[-+]?inf(inity)?", re.I
)


def run_of_json(text: str, name: str, at: int) -> SourceRun:
    """Read a run from JSON: `{"name", "parameters", "metrics", "tags"}`, each optional.

    Metrics are a value by key, or a list of `{"key", "value", "step", "timestamp"}`.

    Args:
        text: of the file.
        name: of the run, where the file gives none.
        at: when points without a time were measured, milliseconds since 1970.

    Raises:
        Unreadable: it is no such JSON; says where.
    """
    try:
        given = json.loads(text, object_pairs_hook=_once, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"Line {error.lineno}, column {error.colno}: this is no JSON "
            f"({error.msg.lower()})."
        ) from error
    except RecursionError as error:
        raise Unreadable("The JSON is nested too deeply.") from error
    if not isinstance(given, dict):
        raise Unreadable('The JSON must be an object, such as {"metrics": {…}}.')
    if unknown := set(given) - set(KNOWN):
        raise Unreadable(
            f"{min(unknown)[:80]!r} is unknown here; a run has {', '.join(KNOWN)}."
        )
    if not isinstance(given.get("name", ""), str):
        raise Unreadable("name must be a text.")
    points = _held(_points(given.get("metrics", {}), at), "metrics, number {}")
    return SourceRun(
        source_id="",
        name=_plain(given.get("name") or name),
        parameters=_scalars(given, "parameters"),
        tags=_scalars(given, "tags"),
        points=partial(iter, points),
    )


def run_of_csv(text: str, name: str, at: int) -> SourceRun:
    """Read a run from CSV with the columns kind, key, value and, if wanted, step.

    Args:
        text: of the file.
        name: of the run.
        at: when it was measured, milliseconds since 1970.

    Raises:
        Unreadable: it is no such CSV; says in which line.
    """
    words: dict[str, dict[str, str]] = {"parameter": {}, "tag": {}}
    points: list[LoggedPoint] = []
    for line, (kind, key, value, step) in _rows(text):
        if kind == "metric":
            if len(points) >= MOST_POINTS:
                raise TooManyPoints(f"Line {line}", MOST_POINTS)
            points.append(_point(f"Line {line}", key, value, step or 0, at))
        elif kind not in words:
            raise Unreadable(f"Line {line}: the kind is {kind[:40]!r}, not {KINDS}.")
        elif words[kind].setdefault(key, value) != value:
            raise Unreadable(f"Line {line}: {kind} {key[:80]!r} has a value already.")
        elif len(words[kind]) > MOST_VALUES:
            raise Unreadable(f"Line {line}: more than {MOST_VALUES:,} {kind}s.")
    return SourceRun(
        source_id="",
        name=_plain(name),
        parameters=words["parameter"],
        tags=words["tag"],
        points=partial(iter, points),
    )


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if reader.line_num == 1:
                _check_header(row)
            elif row and any(cell.strip() for cell in row):
                if len(row) > len(COLUMNS) or len(row) < len(COLUMNS) - 1:
                    raise Unreadable(
                        f"Line {reader.line_num} has {len(row)} cells; "
                        f"{', '.join(COLUMNS)} are asked for."
                    )
                yield reader.line_num, [*row, ""][: len(COLUMNS)]
    except csv.Error as error:
        raise Unreadable(
            f"Line {reader.line_num}: this is no CSV ({error})."
        ) from error
    if not reader.line_num:
        raise Unreadable("The file is empty.")


def _check_header(row: list[str]) -> None:
    if [cell.strip().lower() for cell in row] not in (COLUMNS, COLUMNS[:3]):
        raise Unreadable(
            f"Line 1 must be `{','.join(COLUMNS)}`; step may be left out. It is "
            f"{','.join(row)[:80]!r}."
        )


def _points(given: Any, at: int) -> Iterable[LoggedPoint]:
    if isinstance(given, dict):
        return (_point("metrics", key, value, 0, at) for key, value in given.items())
    if not isinstance(given, list):
        raise Unreadable("metrics must be an object or a list.")
    return (_listed(number, one, at) for number, one in enumerate(given, start=1))


def _held(points: Iterable[LoggedPoint], where: str) -> list[LoggedPoint]:
    """Hold the points of a file, as many as may be."""
    held = list(islice(points, MOST_POINTS + 1))
    if len(held) > MOST_POINTS:
        raise TooManyPoints(where.format(len(held)), MOST_POINTS)
    return held


def _listed(number: int, given: Any, at: int) -> LoggedPoint:
    where = f"metrics, number {number}"
    if not isinstance(given, dict) or not isinstance(given.get("key"), str):
        raise Unreadable(f"{where}: give an object with key and value.")
    when = _whole_number(where, "timestamp", given.get("timestamp", at))
    value, step = given.get("value"), given.get("step", 0)
    return _point(where, given["key"], value, step, when)


def _point(where: str, key: str, value: Any, step: Any, at: int) -> LoggedPoint:
    text = str(value).strip()
    if (
        isinstance(value, bool)
        or len(text) > LONGEST_NUMBER
        or not _NUMBER.fullmatch(text)
    ):
        raise Unreadable(
            f"{where}: the value of {key[:80]!r} is {text[:SHOWN]!r}, no number."
        )
    return LoggedPoint(key, at, _whole_number(where, "step", step), float(text))


def _whole_number(where: str, name: str, given: Any) -> int:
    text = str(given).strip()
    if isinstance(given, bool) or not re.fullmatch(r"[-+]?\d{1,19}", text, re.ASCII):
        raise Unreadable(f"{where}: the {name} is {text[:SHOWN]!r}, no whole number.")
    return int(text)


def _scalars(given: dict[str, Any], name: str) -> dict[str, str]:
    found = given.get(name, {})
    if not isinstance(found, dict):
        raise Unreadable(f'{name} must be an object, such as {{"depth": 4}}.')
    if len(found) > MOST_VALUES:
        raise Unreadable(f"{name}: there are more than {MOST_VALUES:,}.")
    for key, value in found.items():
        if not isinstance(value, str | int | float):
            raise Unreadable(
                f"{name}: {key[:80]!r} must be a text, a number, true or false."
            )
    return {key: value_text(value) for key, value in found.items()}


def value_text(value: str | float) -> str:
    """Write a value as parameters are kept."""
    return _plain(str(value))


def _plain(text: str) -> str:
    if UNSTORABLE.search(text):
        raise Unreadable(f"{text[:40]!r} holds a character that no text has.")
    return text


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise Unreadable(f"{text[:SHOWN]}… has more than {LONGEST_NUMBER} digits.")
    return int(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Unreadable(f"{key[:80]!r} is given twice. Keep one.")
        found[_plain(key)] = value
    return found
