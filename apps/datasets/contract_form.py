"""The form of a data contract: one row for each column, one for the table itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms

from apps.core.forms import PortalForm
from apps.datasets.contract_fields import (
    OPTIONAL,
    SEVERITIES,
    ColumnFields,
    column_fields,
    expectations_of,
    initial_of,
)
from apps.datasets.contract_words import column_words
from engine.spec import Contract, SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_COLUMNS = 600

# Where the form shows what the contract finds wrong, by part of the expectation.
_PLACES = {
    "type": "type",
    "missing": "missing",
    "range.low": "low",
    "range.high": "high",
    "allowed": "allowed",
    "pattern": "pattern",
}
_TABLE_PLACES = {
    "rows.low": "rows_low",
    "rows.high": "rows_high",
    "freshness": "fresh_days",
    "key": "key_severity",
}


@dataclass(frozen=True)
class ColumnRow:
    """One column as the form shows it.

    Args:
        name: of the column.
        type: as the newest version has it; empty when it has no such column.
        words: what is expected now.
        fields: the controls.
        is_wrong: some control holds what cannot be.
    """

    name: str
    type: str
    words: list[str]
    fields: ColumnFields
    is_wrong: bool


class ContractForm(PortalForm):
    """Expectations by column; what is left empty is not checked."""

    rows_low = forms.IntegerField(label="Rows", required=False, min_value=0)
    rows_high = forms.IntegerField(label="Most rows", required=False, min_value=0)
    rows_severity = forms.ChoiceField(
        label="With another number of rows", choices=SEVERITIES, initial="block"
    )
    fresh_column = forms.ChoiceField(label="Newest date of", required=False)
    fresh_days = forms.IntegerField(
        label="Days before the upload at most", required=False, min_value=0
    )
    fresh_severity = forms.ChoiceField(
        label="With older data", choices=SEVERITIES, initial="block"
    )
    key_severity = forms.ChoiceField(
        label="Same key twice",
        choices=SEVERITIES,
        initial="block",
        help_text="Columns join the key below; without any, nothing is checked.",
    )
    no_others = forms.ChoiceField(
        label="Further columns", choices=OPTIONAL, required=False
    )
    note = forms.CharField(
        label="Why it changes",
        required=False,
        max_length=300,
        help_text="Stands in the history of the contract and in the audit trail.",
    )

    def __init__(
        self,
        data: Any = None,
        *,
        contract: Contract,
        types: Mapping[str, str],
    ) -> None:
        """Show `contract` for a table whose columns have these `types` now."""
        by_name = {column.name: column for column in contract.columns}
        names = data.getlist("column") if data else [*types, *by_name]
        self.names = list(dict.fromkeys(names))[:MOST_COLUMNS]
        self._types, self._by_name = types, by_name
        self._key = contract.key.columns if contract.key else ()
        fields = dict(self.base_fields)
        for place in range(len(self.names)):
            fields |= column_fields(place)
        self.base_fields = fields  # type: ignore[misc]  # this form's own
        super().__init__(data, initial=initial_of(contract, self.names))
        choices: Any = self.fields["fresh_column"]
        choices.choices = [("", "not checked"), *((n, n) for n in self.names)]

    def rows(self) -> list[ColumnRow]:
        """The columns in order."""
        return [self._row(place, name) for place, name in enumerate(self.names)]

    def _row(self, place: int, name: str) -> ColumnRow:
        fields = ColumnFields(*(self[f"{f}_{place}"] for f in ColumnFields._fields))
        known = self._by_name.get(name)
        return ColumnRow(
            name=name,
            type=self._types.get(name, ""),
            words=[
                *(column_words(known) if known else []),
                *(["part of the key"] if name in self._key else []),
            ],
            fields=fields,
            is_wrong=any(field.errors for field in fields),
        )

    def clean(self) -> dict[str, Any]:
        """Put the contract together, and show what it finds wrong beside its field."""
        if not self.errors:
            try:
                Contract.from_json(self.content())
            except SpecError as error:
                self.add_error(self._place_of(error.field), _sentence(error.problem))
        return self.cleaned_data

    def _place_of(self, field: str) -> str | None:
        found = re.fullmatch(r"columns\[(\d+)\]\.(.+)", field)
        if not found:
            return next(
                (f for p, f in _TABLE_PLACES.items() if field.startswith(p)), None
            )
        name = self.content()["columns"][int(found[1])]["name"]
        kind = next(
            (f for p, f in _PLACES.items() if found[2].startswith(p)), "present"
        )
        return f"{kind}_{self.names.index(name)}"

    def content(self) -> dict[str, Any]:
        """The contract as JSON, from what was filled in."""
        values = self.cleaned_data
        columns = [
            {"name": name, **expectations_of(self._given(place))}
            for place, name in enumerate(self.names)
        ]
        key = [n for place, n in enumerate(self.names) if values.get(f"key_{place}")]
        content: dict[str, Any] = {"columns": [c for c in columns if len(c) > 1]}
        low, high = values["rows_low"], values["rows_high"]
        if low is not None or high is not None:
            severity = values["rows_severity"]
            content["rows"] = {"low": low, "high": high, "severity": severity}
        if values["fresh_column"] and values["fresh_days"] is not None:
            content["freshness"] = {
                "column": values["fresh_column"],
                "days": values["fresh_days"],
                "severity": values["fresh_severity"],
            }
        if key:
            content["key"] = {"columns": key, "severity": values["key_severity"]}
        if values["no_others"]:
            content["no_others"] = {"severity": values["no_others"]}
        return content

    def _given(self, place: int) -> dict[str, Any]:
        names = ColumnFields._fields
        return {name: self.cleaned_data.get(f"{name}_{place}") for name in names}


def _sentence(problem: str) -> str:
    return problem[:1].upper() + problem[1:]
