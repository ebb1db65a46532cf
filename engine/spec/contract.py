"""A data contract: what every new version of a dataset is expected to hold.

Each expectation stands by itself, and each says what happens when it is broken:
`block` refuses the version, `warn` lets it pass and says so.
"""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self, get_args

from engine.spec.decode import SpecError, decode, require, require_between

Severity = Literal["block", "warn"]
ColumnType = Literal[
    "boolean", "integer", "number", "text", "date", "timestamp", "image"
]
COLUMN_TYPES: tuple[str, ...] = get_args(ColumnType)
Bound = int | float | str | None
MOST_COLUMNS = 2000
MOST_VALUES = 200
LONGEST_TEXT = 200
LONGEST_NAME = 500
_BEYOND_RE2 = re.compile(r"\(\?(?:[=!]|<[=!]|P=|\()|\\[1-9]")


@dataclass(frozen=True)
class Present:
    """The column is there."""

    severity: Severity = "block"


@dataclass(frozen=True)
class OfType:
    """The column was read as this type."""

    type: ColumnType
    severity: Severity = "block"


@dataclass(frozen=True)
class Missing:
    """At most this share of the rows has no value; 0 is none, 1 is any."""

    ratio: float
    severity: Severity = "block"

    def __post_init__(self) -> None:
        require_between(self.ratio, 0, 1, "ratio")


@dataclass(frozen=True)
class Range:
    """Every value lies between two bounds, both included.

    Attributes:
        low: a number, or for dates ISO text such as `2024-01-31`; None is no bound.
        high: the same.
    """

    low: Bound = None
    high: Bound = None
    severity: Severity = "block"

    def __post_init__(self) -> None:
        is_open = self.low is None or self.high is None
        some = self.low is not None or self.high is not None
        require(some, "low", "or the highest value must be given.")
        for name in ("low", "high"):
            value = getattr(self, name)
            if isinstance(value, str):
                require(_is_date(value), name, "must be a date such as 2024-01-31.")
        if not is_open:
            alike = isinstance(self.low, str) == isinstance(self.high, str)
            require(alike, "high", "must be of the same kind as the lowest value.")
            in_order = _key(self.low) <= _key(self.high)
            require(in_order, "high", "must not be below the lowest value.")


@dataclass(frozen=True)
class Allowed:
    """Every value is one of these, written as text."""

    values: tuple[str, ...]
    severity: Severity = "block"

    def __post_init__(self) -> None:
        some = 1 <= len(self.values) <= MOST_VALUES
        require(some, "values", f"must be 1 to {MOST_VALUES} different values.")
        require(_differ(self.values), "values", "must not name a value twice.")
        for place, value in enumerate(self.values):
            _check_text(value, f"values[{place}]")


@dataclass(frozen=True)
class Pattern:
    """Every text matches a regular expression (RE2) from beginning to end."""

    pattern: str
    severity: Severity = "block"

    def __post_init__(self) -> None:
        _check_text(self.pattern, "pattern")
        require(self.pattern != "", "pattern", "must not be empty.")
        try:
            re.compile(self.pattern)
        except (re.error, OverflowError, RecursionError) as error:
            problem = f"is not a regular expression ({error})."
            raise SpecError("pattern", problem) from error
        plain = not _BEYOND_RE2.search(self.pattern)
        require(plain, "pattern", "must not look ahead or behind, or refer to groups.")


@dataclass(frozen=True)
class Unique:
    """No value occurs twice; missing ones do not count."""

    severity: Severity = "block"


@dataclass(frozen=True, kw_only=True)
class ColumnContract:
    """What is expected of one column; what is None is not checked."""

    name: str
    present: Present | None = None
    type: OfType | None = None
    missing: Missing | None = None
    range: Range | None = None
    allowed: Allowed | None = None
    pattern: Pattern | None = None
    unique: Unique | None = None

    def __post_init__(self) -> None:
        _check_name(self.name, "name")


@dataclass(frozen=True)
class RowCount:
    """The table has so many rows, both bounds included; None is no bound."""

    low: int | None = None
    high: int | None = None
    severity: Severity = "block"

    def __post_init__(self) -> None:
        given = [bound for bound in (self.low, self.high) if bound is not None]
        require(bool(given), "low", "or the highest number of rows must be given.")
        require(min(given) >= 0, "low", "must not be negative.")
        require(given == sorted(given), "high", "must not be below the lowest number.")


@dataclass(frozen=True)
class Freshness:
    """The newest date of a column is at most so many days before the upload."""

    column: str
    days: int
    severity: Severity = "block"

    def __post_init__(self) -> None:
        _check_name(self.column, "column")
        require_between(self.days, 0, 36_525, "days")


@dataclass(frozen=True)
class Key:
    """No two rows have the same values in these columns together."""

    columns: tuple[str, ...]
    severity: Severity = "block"

    def __post_init__(self) -> None:
        require(bool(self.columns), "columns", "must name a column.")
        for place, name in enumerate(self.columns):
            _check_name(name, f"columns[{place}]")
        require(_differ(self.columns), "columns", "must not name a column twice.")


@dataclass(frozen=True)
class NoOthers:
    """The table has no columns but those of the contract."""

    severity: Severity = "block"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What is expected of a table.

    Attributes:
        columns: one entry for each column that something is expected of.
        rows: how many rows there are.
        freshness: how new the newest row is.
        key: which columns tell rows apart.
        no_others: whether further columns are welcome.
        revision: number of the contract, named in messages; 0 for a draft.
    """

    columns: tuple[ColumnContract, ...] = ()
    rows: RowCount | None = None
    freshness: Freshness | None = None
    key: Key | None = None
    no_others: NoOthers | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        few = len(names) <= MOST_COLUMNS
        require(few, "columns", f"must be at most {MOST_COLUMNS:,}.")
        require(_differ(names), "columns", "must not name a column twice.")

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Build the contract from parsed JSON.

        Raises:
            SpecError: a field is missing, unknown or wrong; names it and the fix.
        """
        contract: Self = decode(cls, data)
        return contract

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, without what is not expected."""
        plain: dict[str, Any] = _without_none(asdict(self))
        return plain


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        given = {key: item for key, item in value.items() if item is not None}
        return {key: _without_none(item) for key, item in given.items()}
    if isinstance(value, tuple):
        return [_without_none(item) for item in value]
    return value


def _differ(names: Any) -> bool:
    return len(set(names)) == len(names)


def _check_name(value: str, field: str) -> None:
    require(value != "", field, "must name a column.")
    _check_text(value, field, LONGEST_NAME)


def _check_text(value: str, field: str, longest: int = LONGEST_TEXT) -> None:
    fits = len(value) <= longest
    require(fits, field, f"must have at most {longest} characters.")
    # Neither a NUL nor half a surrogate pair can be stored or sent on.
    sound = "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    require(sound, field, "must be text without control characters.")


def _is_date(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is None
    except ValueError:
        return False


def _key(bound: Bound) -> Any:
    return datetime.fromisoformat(bound) if isinstance(bound, str) else bound
