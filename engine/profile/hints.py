"""Values that look like personal data: hints for a person who decides.

Nothing is removed or changed here. A hint names column, kind, count and share, with one
example whose letters and digits are covered.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.folder import Json
from engine.profile.columns import Described
from engine.profile.source import Group, Source
from engine.profile.subgroups import FEW_VALUES, words_of

MOST_TEXTS = 20_000
_NOISE_RATIO = 0.5  # a loose pattern must fit this share of what was looked at
# What a text must hold to be looked at more closely, for SQL; asked of every text.
_WORTHWHILE = "|".join(
    (
        "@",
        r"[0-9]{3}-[0-9]{2}-[0-9]{4}",
        r"[0-9]{3}\)?[ .-]?[0-9]{3}[ .-][0-9]{4}",
        r"[0-9]([ -]?[0-9]){12}",
        r"[0-9]{1,3}(\.[0-9]{1,3}){3}",
        r"^[0-9]+ +[a-zA-Z]",
    )
)
_LAST_BYTE = 255
_FEW_TEXTS = 100_000  # so many different ones are found before they are looked at


def _fits(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.search(text) is not None


def _is_card(text: str) -> bool:
    """Find 13 to 19 digits that pass the Luhn check, ISO/IEC 7812-1 annex B."""
    for found in re.findall(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])", text):
        digits = [int(mark) for mark in reversed(found) if mark.isdigit()]
        doubled = [sum(divmod(2 * n, 10)) for n in digits[1::2]]
        if len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0:
            return True
    return False


def _is_address(text: str) -> bool:
    """Find an IPv4 address; version numbers of four small parts look the same."""
    for found in re.findall(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])", text):
        parts = [int(part) for part in found.split(".")]
        if max(parts) <= _LAST_BYTE and parts[0] > 0:
            return True
    return False


@dataclass(frozen=True)
class _Kind:
    """One kind of personal data.

    Attributes:
        is_loose: much else fits too, so that a few matches say nothing.
    """

    name: str
    fits: Callable[[str], bool]
    is_loose: bool = False


_SSN = r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"
_EMAIL = r"[\w.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
_PHONE = r"(?<![\d-])(\+?1[ .-]?)?(\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\d-])"
_STREET = (
    r"(?i)^\d+ .*\b(st|street|ave|avenue|rd|road|blvd|boulevard|ln|lane|dr|drive|ct|"
    r"court|way|hwy|highway|pl|place)\b\.?"
)
_KINDS = (
    _Kind("social security number", _fits(_SSN)),
    _Kind("e-mail address", _fits(_EMAIL)),
    _Kind("credit card number", _is_card),
    _Kind("telephone number", _fits(_PHONE)),
    _Kind("IP address", _is_address, is_loose=True),
    _Kind("street address", _fits(_STREET), is_loose=True),
)
# By words of the column's name: the kind, and the types it is believed for.
_NAMED = (
    ({"ssn", "socialsecurity"}, "social security number", ("text", "integer")),
    (
        {"dob", "birth", "born", "birthdate", "birthday"},
        "date of birth",
        ("date", "timestamp", "text"),
    ),
    (
        {"surname", "lastname", "firstname", "fullname", "forename", "givenname"},
        "name of a person",
        ("text",),
    ),
    ({"street", "address"}, "street address", ("text",)),
    ({"phone", "telephone", "mobile", "fax"}, "telephone number", ("text", "integer")),
    ({"passport"}, "passport number", ("text", "integer")),
    ({"email", "mail"}, "e-mail address", ("text",)),
)
_PEOPLE = {"patient", "employee", "applicant", "person", "customer", "contact", "owner"}
_NAME_PARTS = {"first", "last", "middle", "given", "family", "maiden", "full"} | _PEOPLE


def find(source: Source, described: Described) -> list[Json]:
    """List what in one column looks like personal data.

    Args:
        source: the table.
        described: the column.

    Returns:
        Objects with `column`, `kind`, `matches`, `share` (of the values there are) and
        `example_masked`.
    """
    column = described.profile
    known = source.row_count - column["missing"]
    hints = []
    if column["type"] == "text":
        groups = _worthwhile(source, described)
        looked_at = sum(group.rows for group in groups)
        for kind in _KINDS:
            matches = [group for group in groups if kind.fits(group.text)]
            # More than could be looked at are taken to be like those that were.
            some = sum(group.rows for group in matches)
            total = round(some * groups[0].all_rows / looked_at) if some else 0
            if total and (not kind.is_loose or total >= _NOISE_RATIO * known):
                hints.append(_hint(column, kind.name, total, known, matches[0].text))
    named = _named_kind(column["name"], column["type"])
    if named and known and all(hint["kind"] != named for hint in hints):
        example = source.groups(column["name"], 1)[0].text
        hints.append(_hint(column, named, known, known, example))
    return hints


def _worthwhile(source: Source, described: Described) -> list[Group]:
    """Return the texts that are worth a closer look, the commonest first."""
    if described.texts is not None:
        kept = [row for row in described.texts if re.search(_WORTHWHILE, row.text)]
        rows = sum(row.rows for row in kept)
        return [row._replace(all_groups=len(kept), all_rows=rows) for row in kept]
    condition = f"regexp_matches(value, '{_WORTHWHILE}')"
    column = described.profile
    few = column["distinct"] <= _FEW_TEXTS
    asked = {"groups": condition} if few else {"rows": condition}
    return source.groups(column["name"], MOST_TEXTS, **asked)


def _named_kind(name: str, kind: str) -> str | None:
    words = set(words_of(name))
    joined = "".join(words_of(name))
    for marks, personal, types in _NAMED:
        if kind in types and (words & marks or joined in marks):
            return personal
    is_name = "name" in words and words & _NAME_PARTS
    return "name of a person" if is_name and kind == "text" else None


def _hint(column: Json, kind: str, matches: int, known: int, example: str) -> Json:
    return {
        "column": column["name"],
        "kind": kind,
        "matches": matches,
        "share": round(matches / known, 6),
        "example_masked": masked(example),
    }


def covered(column: Json, found: list[Json]) -> list[Json]:
    """Return the commonest values of a column, with personal ones masked.

    A profile is read by more people than the data. Values of a category stay readable
    unless one by itself has the pattern of personal data.
    """
    if not found:
        return list(column["top"])
    is_category = column["distinct"] <= FEW_VALUES
    return [
        value
        if is_category and not any(kind.fits(value["value"]) for kind in _KINDS)
        else value | {"value": masked(value["value"])}
        for value in column["top"]
    ]


def hidden_figures(column: Json, found: list[Json]) -> Json:
    """Return what replaces single values of a column of numbers, such as the least.

    A number that names a person stands in them in full.
    """
    if not found or column["type"] not in ("integer", "number"):
        return {}
    return dict.fromkeys(("min", "max", "quantiles", "histogram"))


def masked_if_personal(columns: Sequence[str], value: str | None) -> str | None:
    """Mask a value that is quoted from a row, if it may be personal.

    Args:
        columns: the names of the columns that it is of.
        value: as text; None stays None.
    """
    if value is None:
        return None
    types = ("text", "integer", "date")
    is_named = any(_named_kind(name, kind) for name in columns for kind in types)
    is_personal = is_named or any(kind.fits(value) for kind in _KINDS)
    return masked(value) if is_personal else value


def masked(text: str) -> str:
    """Cover all letters and digits but the first."""
    first = next((place for place, mark in enumerate(text) if mark.isalnum()), 0)
    shown = (
        mark if place == first or not mark.isalnum() else "•"
        for place, mark in enumerate(text[:40])
    )
    return "".join(shown)
