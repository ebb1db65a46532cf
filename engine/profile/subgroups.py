"""Columns by which a model should be judged group by group."""

import re

from engine.folder import Json

FEW_VALUES = 20
# Protected or organisational attributes, by words of the column's name.
_WORDS = {
    "age": "age agegroup ageband birthyear",
    "sex": "sex gender",
    "race or ethnicity": "race ethnicity ethnic hispanic",
    "nationality": "nationality citizenship citizen",
    "religion": "religion faith",
    "disability": "disability disabled handicap",
    "veteran status": "veteran veteranstatus",
    "marital status": "marital maritalstatus married",
    "language": "language tongue",
    "region": "region state county zip zipcode postcode district province country city",
    "unit": "unit branch squadron battalion wing department division agency rank grade",
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}


def kind_of(column: Json) -> str | None:
    """Say which attribute a column seems to hold, or `few values` for a category."""
    if column["type"] == "image":
        return None
    for word in words_of(column["name"]):
        if word in _KINDS:
            return _KINDS[word]
    is_category = column["type"] in ("text", "boolean")
    return (
        "few values" if is_category and 1 < column["distinct"] <= FEW_VALUES else None
    )


def words_of(name: str) -> list[str]:
    """Split a name such as `homeState` or `HOME_STATE` into lower-case words."""
    parted = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return re.findall(r"[a-z]+", parted.lower())
