"""Where a file is wrong, to read and to take away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.csv_cells import csv_text
from apps.core.errors import Invalid
from apps.datasets.models import ErrorListFormat

if TYPE_CHECKING:
    from apps.datasets.models import DatasetVersion

_COLUMNS = ("file", "row", "column", "message", "text")


def failure_places(version: DatasetVersion) -> list[dict[str, Any]]:
    """List where the file is wrong: row, column, message and text.

    Other details of a failure are for operators and stay on the row.
    """
    return [
        place
        for place in version.failure_details
        if isinstance(place, dict) and "message" in place
    ]


@dataclass(frozen=True)
class ErrorList:
    """The errors of a failed version, to send to somebody.

    Args:
        text: the list.
        name: what to save it as.
        media_type: what it is.
    """

    text: str
    name: str
    media_type: str


def error_list(version: DatasetVersion, form: ErrorListFormat) -> ErrorList:
    """Write the errors of a failed version, at most the first hundred.

    A file that is wrong as a whole has one error without a place.
    """
    places = failure_places(version) or [{"message": version.failure_message}]
    # A place names its file where there are several, as in an archive.
    named = [{"file": version.original_name} | _filled(place) for place in places]
    rows = [{name: place.get(name) for name in _COLUMNS} for place in named]
    name = f"{version.dataset.name}-{version.number}-errors.{form.value}"
    if form == ErrorListFormat.CSV:
        table = csv_text([_COLUMNS, *(tuple(row.values()) for row in rows)])
        return ErrorList(table, name, "text/csv")
    told = {
        "file": version.original_name,
        "sha256": version.original_sha256,
        "message": version.failure_message,
        "errors": rows,
    }
    text = json.dumps(told, ensure_ascii=False, indent=1)
    return ErrorList(text, name, "application/json")


def error_list_format(name: str | None) -> ErrorListFormat:
    """Read in which form the errors are asked for; CSV when nothing is said.

    Raises:
        Invalid: there is no such form.
    """
    try:
        return ErrorListFormat(name or ErrorListFormat.CSV)
    except ValueError as error:
        sentence = f"format is one of {', '.join(ErrorListFormat.values)}."
        raise Invalid(sentence, fields={"format": sentence}) from error


def _filled(place: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in place.items()
        if value is not None and value != ""
    }
