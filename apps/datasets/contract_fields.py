"""The controls of a data contract, and the contract as they show it and give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.forms import BoundField

from engine.spec import COLUMN_TYPES, ColumnContract, Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SEVERITIES = [("block", "blocks"), ("warn", "warns")]
OPTIONAL = [("", "not checked"), *SEVERITIES]
TYPES = [("", "any type"), *((kind, kind) for kind in COLUMN_TYPES)]


class ColumnFields(NamedTuple):
    """The controls for one column."""

    present: BoundField
    unique: BoundField
    key: BoundField
    type: BoundField
    type_severity: BoundField
    missing: BoundField
    missing_severity: BoundField
    low: BoundField
    high: BoundField
    range_severity: BoundField
    allowed: BoundField
    allowed_severity: BoundField
    pattern: BoundField
    pattern_severity: BoundField


def column_fields(place: int) -> dict[str, forms.Field]:
    """Make the controls for the column at `place`."""

    def severity(kind: str) -> forms.Field:
        return forms.ChoiceField(
            label=f"If the {kind} differs", choices=SEVERITIES, required=False
        )

    fields: dict[str, forms.Field] = {
        "present": forms.ChoiceField(
            label="Must be there", choices=OPTIONAL, required=False
        ),
        "unique": forms.ChoiceField(
            label="All different", choices=OPTIONAL, required=False
        ),
        "key": forms.BooleanField(label="Part of the key", required=False),
        "type": forms.ChoiceField(label="Type", choices=TYPES, required=False),
        "type_severity": severity("type"),
        "missing": forms.FloatField(
            label="Missing at most, %", required=False, min_value=0, max_value=100
        ),
        "missing_severity": severity("share missing"),
        "low": forms.CharField(label="From", required=False, max_length=40),
        "high": forms.CharField(label="To", required=False, max_length=40),
        "range_severity": severity("range"),
        "allowed": forms.CharField(
            label="One of, one a line",
            required=False,
            max_length=50_000,
            widget=forms.Textarea(attrs={"rows": 3}),
        ),
        "allowed_severity": severity("value"),
        "pattern": forms.CharField(
            label="Matches pattern", required=False, max_length=200
        ),
        "pattern_severity": severity("pattern"),
    }
    return {f"{name}_{place}": field for name, field in fields.items()}


def _missing(given: Mapping[str, Any]) -> dict[str, Any]:
    percent = given["missing"]
    return {} if percent is None else {"ratio": percent / 100}


def _range(given: Mapping[str, Any]) -> dict[str, Any]:
    bounds = {name: _bound(given[name] or "") for name in ("low", "high")}
    return {} if bounds["low"] is None and bounds["high"] is None else bounds


def _allowed(given: Mapping[str, Any]) -> dict[str, Any]:
    lines = map(str.strip, (given["allowed"] or "").splitlines())
    values = list(dict.fromkeys(filter(None, lines)))
    return {"values": values} if values else {}


_READ: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "type": lambda given: {"type": given["type"]} if given["type"] else {},
    "missing": _missing,
    "range": _range,
    "allowed": _allowed,
    "pattern": lambda given: {"pattern": given["pattern"]} if given["pattern"] else {},
}


def expectations_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the values of one column's controls into its part of a contract as JSON."""
    read = {kind: reader(given) for kind, reader in _READ.items()}
    found = {kind: line for kind, line in read.items() if line}
    for kind, line in found.items():
        line["severity"] = given[f"{kind}_severity"] or "block"
    for kind in ("present", "unique"):
        if given[kind]:
            found[kind] = {"severity": given[kind]}
    return found


def initial_of(contract: Contract, names: Sequence[str]) -> dict[str, Any]:
    """Turn a contract into what the controls show, for columns in this order."""
    by_name = {column.name: column for column in contract.columns}
    key = contract.key.columns if contract.key else ()
    values = _table_initial(contract)
    for place, name in enumerate(names):
        column = by_name.get(name)
        found = _column_initial(column) if column else {}
        found["key"] = name in key
        values |= {f"{field}_{place}": value for field, value in found.items()}
    return values


def _table_initial(contract: Contract) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if lines := contract.rows:
        values |= {"rows_low": lines.low, "rows_high": lines.high}
        values["rows_severity"] = lines.severity
    if fresh := contract.freshness:
        values |= {"fresh_column": fresh.column, "fresh_days": fresh.days}
        values["fresh_severity"] = fresh.severity
    if contract.key:
        values["key_severity"] = contract.key.severity
    if contract.no_others:
        values["no_others"] = contract.no_others.severity
    return values


_SHOWN: dict[str, Callable[[Any], dict[str, Any]]] = {
    "present": lambda line: {"present": line.severity},
    "unique": lambda line: {"unique": line.severity},
    "type": lambda line: {"type": line.type},
    "missing": lambda line: {"missing": float(f"{line.ratio * 100:.6g}")},
    "range": lambda line: {"low": line.low, "high": line.high},
    "allowed": lambda line: {"allowed": "\n".join(line.values)},
    "pattern": lambda line: {"pattern": line.pattern},
}


def _column_initial(column: ColumnContract) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for kind, shown in _SHOWN.items():
        if line := getattr(column, kind):
            values |= shown(line) | {f"{kind}_severity": line.severity}
    return values


def _bound(text: str) -> int | float | str | None:
    """Read a bound as it was meant: a number, or else a date."""
    for kind in (int, float):
        try:
            return kind(text.replace(",", ""))
        except ValueError:
            continue
    return text or None
