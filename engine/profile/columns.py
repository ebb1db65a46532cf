"""One column: counts, quantiles, a histogram, the commonest values, time coverage.

Numbers and times are sorted once; everything else is read off the sorted values.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import tables
from engine.folder import Json
from engine.profile import coverage
from engine.profile.source import Group, Source, Values, as_floats, sample
from engine.profile.thumbnails import thumbnails
from engine.profile.units import UNITS, Unit, top_value

BINS = 20
MOST_VALUES = 10
FEW_DISTINCT = 20
FEW_TEXTS = 1_000  # different ones, which are counted once and kept
EXACT_TEXT_ROWS = 1_000_000
MOST_GROUPS = 100_000  # of different texts, counted one by one in a larger table
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SAMPLE_ROWS = 50_000
_KEYS = ("min", "max", "mean", "std", "quantiles", "histogram", "coverage")


@dataclass(frozen=True)
class Described:
    """What was found in one column.

    Attributes:
        profile: its entry in the profile of the table.
        sample: for numbers, a sample of rows, with NaN where missing.
        texts: all different texts, the commonest first, where there are few.
    """

    profile: Json
    sample: NDArray[np.float64] | None = None
    texts: list[Group] | None = None


def describe(source: Source, column: str, kind: str) -> Described:
    """Describe one column."""
    found: Json = {"name": column, "type": kind, **dict.fromkeys(_KEYS)}
    found |= {"top": [], "is_estimate": False}
    if kind == "image":
        shown = {"thumbnails": thumbnails(source, column)}
        return Described(found | _counts(source, column) | shown)
    if kind in ("text", "boolean"):
        return _texts(source, column, found)
    unit = UNITS[kind]
    values = source.values(unit.sql(tables.name(column)))
    rows = None if unit.is_time else as_floats(sample(values, SAMPLE_ROWS))
    with np.errstate(all="ignore"):
        found |= _numbers(values, unit)
    if not source.is_exact:
        found = _raise_to_whole(found, source, unit, len(values))
    return Described(found, rows)


def _counts(source: Source, column: str) -> Json:
    value = tables.name(column)
    expressions = f"count(*) - count({value}), approx_count_distinct({value})"
    missing, distinct = source.ask(expressions)[0]
    return {"missing": missing, "distinct": distinct, "is_estimate": True}


def _texts(source: Source, column: str, found: Json) -> Described:
    counts = _counts(source, column)
    is_large = source.row_count > EXACT_TEXT_ROWS and counts["distinct"] > MOST_GROUPS
    likely = _among_likely(source, column) if is_large else "true"
    rows = source.groups(column, FEW_TEXTS, rows=likely)
    top = [top_value(row.text, row.rows) for row in rows[:MOST_VALUES]]
    if is_large:
        return Described(found | counts | {"top": top})
    distinct = rows[0].all_groups if rows else 0
    counts |= {"distinct": distinct, "top": top, "is_estimate": False}
    return Described(found | counts, texts=rows if distinct <= FEW_TEXTS else None)


def _among_likely(source: Source, column: str) -> str:
    """Return a condition that lets through what are probably the commonest texts."""
    expression = f"unnest(approx_top_k({tables.name(column)}, {MOST_VALUES}))"
    likely = ", ".join(tables.text(row[0]) for row in source.ask(expression))
    return f"value IN ({likely})"


def _numbers(column: Values, unit: Unit) -> Json:
    values: NDArray[Any] = column.compressed()
    found: Json = {"missing": len(column) - len(values), "distinct": 0}
    if not len(values):
        return found
    if not unit.is_time:
        found["mean"] = float(values.mean())
        found["std"] = float(values.std(ddof=1)) if len(values) > 1 else None
    values.sort()
    is_new = values[1:] != values[:-1]
    distinct = int(np.count_nonzero(is_new)) + 1
    found |= {
        "distinct": distinct,
        "min": unit.shown(values[0]),
        "max": unit.shown(values[-1]),
        "quantiles": {str(q): unit.shown(_quantile(values, q)) for q in QUANTILES},
        "histogram": _histogram(values, unit),
    }
    if distinct <= FEW_DISTINCT:
        found["top"] = _runs(values, np.flatnonzero(is_new) + 1, unit)
    if unit.is_time:
        found["coverage"] = coverage.cover(values, unit)
    return found


def _quantile(values: NDArray[Any], ratio: float) -> float:
    """Interpolate between the two sorted values around the place of `ratio`."""
    place = ratio * (len(values) - 1)
    low = int(place)
    below, above = float(values[low]), float(values[min(low + 1, len(values) - 1)])
    return below + (above - below) * (place - low)


def _histogram(values: NDArray[Any], unit: Unit) -> Json:
    """Count sorted values in bins of equal width; a constant gets a bin around it."""
    least, most = float(values[0]), float(values[-1])
    if least == most:
        least, most = least - unit.half, most + unit.half
    width = most / BINS - least / BINS
    edges = [least + step * width for step in range(BINS)] + [most]
    # Whole numbers are compared with whole numbers, or all would be copied as floats.
    limits = np.ceil(edges[1:-1]).clip(-(2**62), 2**62)
    inner = limits.astype(np.int64) if unit.is_whole else np.array(edges[1:-1])
    places = [0, *np.searchsorted(values, inner).tolist(), len(values)]
    return {
        "edges": [unit.shown(edge) for edge in edges],
        "counts": [b - a for a, b in pairwise(places)],
    }


def _runs(values: NDArray[Any], starts: NDArray[np.intp], unit: Unit) -> list[Json]:
    """List the commonest of few values; `starts` is where a new one begins."""
    begins = [0, *starts.tolist()]
    ends = [*begins[1:], len(values)]
    counted = [
        (str(unit.shown(values[a])), b - a) for a, b in zip(begins, ends, strict=True)
    ]
    counted.sort(key=lambda item: (-item[1], item[0]))
    return [top_value(text, count) for text, count in counted[:MOST_VALUES]]


def _raise_to_whole(found: Json, source: Source, unit: Unit, looked_at: int) -> Json:
    """Replace what a sample says by exact numbers where they cost little memory."""
    name = tables.name(found["name"])
    value = unit.sql(name)
    missing, distinct, least, most, mean, std = source.ask(
        f"count(*) - count({name}), approx_count_distinct({name}), min({value}), "
        f"max({value}), avg({value}), stddev_samp({value})"
    )[0]
    exact = {"missing": missing, "distinct": distinct, "is_estimate": True}
    if least is not None:
        exact |= {"min": unit.shown(least), "max": unit.shown(most)}
    if not unit.is_time:
        exact |= {"mean": mean, "std": std}
    times = source.row_count / max(1, looked_at)
    for counted in (found["histogram"], found["coverage"]):
        if counted:
            counted["counts"] = [round(count * times) for count in counted["counts"]]
    top = [value | {"count": round(value["count"] * times)} for value in found["top"]]
    return found | exact | {"top": top}
