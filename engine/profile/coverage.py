"""How a column of times covers its span: rows per period, and periods without any."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.folder import Json
from engine.profile.units import Unit

MOST_PERIODS = 60
_DAY_SECONDS = 86_400
# Name, unit of numpy, how many of it, days.
_PERIODS = (
    ("day", "D", 1, 1),
    ("week", "W", 1, 7),
    ("month", "M", 1, 30.4),
    ("quarter", "M", 3, 91.3),
    ("year", "Y", 1, 365.25),
    ("decade", "Y", 10, 3652.5),
    ("century", "Y", 100, 36525),
)


def cover(values: NDArray[Any], unit: Unit) -> Json:
    """Count sorted times by period, the shortest that makes at most about 60.

    Args:
        values: sorted, at least one.
        unit: days or microseconds since 1970.

    Returns:
        `first`, `last`, `period`, `starts` (ISO dates), `counts`, `empty` (periods
        within the span that no row falls in).
    """
    days = values if unit.kind == "date" else values // (_DAY_SECONDS * 1_000_000)
    span = int(days[-1]) - int(days[0])
    name, code, step, _ = next(
        (period for period in _PERIODS if span / period[3] < MOST_PERIODS),
        _PERIODS[-1],
    )
    periods = days.astype("datetime64[D]").astype(f"datetime64[{code}]")
    places = periods.astype(np.int64) // step
    counts = np.bincount(places - places[0])
    starts = (np.arange(len(counts)) + places[0]) * step
    dates = starts.astype(f"datetime64[{code}]").astype("datetime64[D]")
    return {
        "first": unit.shown(values[0]),
        "last": unit.shown(values[-1]),
        "period": name,
        "starts": [str(date) for date in dates],
        "counts": counts.tolist(),
        "empty": int(np.count_nonzero(counts == 0)),
    }
