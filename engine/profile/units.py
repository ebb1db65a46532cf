"""How numbers and times are read for a profile, and written in it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from engine.folder import Json

_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the years 1 to 9999, in seconds


@dataclass(frozen=True)
class Unit:
    """What one step of a column's values means.

    Attributes:
        kind: integer, number, date or timestamp.
        query: SQL for the value as a number; `{}` stands for the column.
        seconds: how many one step is; 0 for numbers that are no time.
        half: what to put around a single value to draw it.
    """

    kind: str
    query: str
    seconds: float = 0
    half: float = 0.5

    @property
    def is_time(self) -> bool:
        """Whether the values are moments."""
        return self.seconds > 0

    @property
    def is_whole(self) -> bool:
        """Whether the values are whole numbers."""
        return self.kind != "number"

    def sql(self, column: str) -> str:
        """Return the SQL that reads a quoted column."""
        return self.query.format(column)

    def shown(self, number: float) -> float | int | str:
        """Write a number as the column's own kind: dates as ISO text."""
        if not self.is_time:
            whole = self.kind == "integer" and number == int(number)
            return int(number) if whole else float(number)
        second = min(max(float(number) * self.seconds, _FIRST), _LAST)
        moment = datetime.fromtimestamp(second, UTC)
        if self.kind == "date":
            return moment.date().isoformat()
        return moment.replace(tzinfo=None).isoformat(timespec="seconds")


UNITS = {
    unit.kind: unit
    for unit in (
        Unit("integer", "{}"),
        Unit("number", "{}"),
        Unit("date", "datediff('day', DATE '1970-01-01', {})", seconds=86_400.0),
        Unit("timestamp", "epoch_us({})", seconds=1e-6, half=43_200e6),
    )
}


def top_value(text: str, count: int, longest: int = 200) -> Json:
    """Describe one of the commonest values."""
    return {"value": text[:longest], "count": int(count)}
