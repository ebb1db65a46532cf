"""A first data contract, read off the profile of a version.

What holds the table together (columns, types, values that were never missing) blocks;
what describes the values only warns, with a margin, because the next version may
differ honestly. A steward decides the rest.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from engine.spec.contract import (
    LONGEST_TEXT,
    Allowed,
    ColumnContract,
    Contract,
    Freshness,
    Key,
    Missing,
    OfType,
    Present,
    Range,
    RowCount,
    Unique,
)

MARGIN_RATIO = 0.1  # of the span seen, on either side
MOST_MISSING_FACTOR = 1.5
FRESH_DAYS = 366  # data older than that is an archive: its age says nothing
FEWEST_UNIQUE_ROWS = 20  # in fewer, values differ by chance
FEWEST_SET_ROWS = 10  # rows for each value of a set


def propose_contract(
    columns: Sequence[Mapping[str, Any]], rows: int, uploaded_on: date
) -> Contract:
    """Propose a contract from what one version holds.

    Args:
        columns: of its profile.
        rows: how many it has.
        uploaded_on: when it came in.
    """
    keys = [c["name"] for c in columns if _is_unique(c, rows)]
    return Contract(
        columns=tuple(_column(column, rows) for column in columns),
        rows=RowCount(low=rows // 2, high=rows * 2, severity="warn"),
        freshness=_freshness(columns, uploaded_on),
        key=Key((keys[0],), severity="warn") if keys else None,
    )


def _column(profile: Mapping[str, Any], rows: int) -> ColumnContract:
    return ColumnContract(
        name=profile["name"],
        present=Present(),
        type=OfType(profile["type"]),
        missing=_missing(profile["missing"], rows),
        range=_range(profile),
        allowed=_allowed(profile, rows),
        unique=Unique("warn") if _is_unique(profile, rows) else None,
    )


def _missing(missing: int, rows: int) -> Missing | None:
    if missing == 0:
        return Missing(0.0)
    ratio = math.ceil(missing / rows * MOST_MISSING_FACTOR * 100) / 100
    return Missing(ratio, "warn") if ratio < 1 else None


def _range(profile: Mapping[str, Any]) -> Range | None:
    low, high = profile.get("min"), profile.get("max")
    if low is None or high is None:
        return None
    if profile["type"] in ("date", "timestamp"):
        return Range(low=str(low), severity="warn")  # time goes on, so no end
    margin = (high - low) * MARGIN_RATIO
    if not math.isfinite(margin):
        return None
    # What was never negative, or never positive, is expected to stay so.
    lowest = low - margin if low < 0 else max(low - margin, 0)
    highest = high + margin if high > 0 else min(high + margin, 0)
    if profile["type"] == "integer":
        return Range(math.floor(lowest), math.ceil(highest), "warn")
    return Range(min(_round(lowest), low), max(_round(highest), high), "warn")


def _round(number: float) -> float:
    return float(f"{number:.6g}")


def _allowed(profile: Mapping[str, Any], rows: int) -> Allowed | None:
    values = [entry["value"] for entry in profile.get("top") or ()]
    is_whole = profile["type"] == "text" and 0 < profile["distinct"] == len(values)
    is_repeated = rows >= FEWEST_SET_ROWS * len(values)
    is_short = all(len(value) < LONGEST_TEXT for value in values)
    if not (is_whole and is_repeated and is_short):
        return None
    return Allowed(tuple(sorted(values)), severity="warn")


def _is_unique(profile: Mapping[str, Any], rows: int) -> bool:
    is_a_name = profile["type"] in ("integer", "text")
    is_full = profile["missing"] == 0 and profile["distinct"] == rows
    return is_a_name and is_full and rows >= FEWEST_UNIQUE_ROWS


def _freshness(
    columns: Sequence[Mapping[str, Any]], uploaded_on: date
) -> Freshness | None:
    """Expect of the first column of dates that ends near the upload to do so again."""
    for column in columns:
        if column["type"] in ("date", "timestamp") and column.get("max"):
            newest = datetime.fromisoformat(column["max"]).date()
            age = uploaded_on - newest
            if timedelta(0) <= age <= timedelta(FRESH_DAYS):
                days = math.ceil(age.days * MOST_MISSING_FACTOR) + 7
                return Freshness(column["name"], days, "warn")
    return None
