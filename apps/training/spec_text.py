"""Read a training spec that a person wrote, as YAML or JSON.

What is wrong is refused with line and column; see `apps.core.plain_yaml` for the rules.
"""

from __future__ import annotations

import json
from typing import Any

from apps.core.errors import Invalid
from apps.core.parsers import NOT_STORABLE, is_storable
from apps.core.plain_yaml import YamlFault, load_yaml

MOST_CHARACTERS = 256 * 1024
FIELD = "spec"


def parse_spec_text(text: str) -> dict[str, Any]:
    """Return what `text` says, as `TrainSpec.from_json` takes it; it is not checked.

    Text that begins with `{` is read as JSON, all other text as YAML.

    Raises:
        Invalid: it cannot be read; says where (line and column, from 1) and why.
    """
    if len(text) > MOST_CHARACTERS:
        raise _invalid(f"The spec is longer than {MOST_CHARACTERS // 1024} KiB.")
    is_json = text.lstrip("\ufeff \t\r\n").startswith("{")
    try:
        found = _json(text) if is_json else _yaml(text)
    except RecursionError:
        raise _invalid("The spec has too many levels.") from None
    if not is_storable(found):
        raise _invalid(NOT_STORABLE)
    if not isinstance(found, dict):
        raise _invalid("The spec must be a list of names and values, name: value.")
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(
            text.lstrip("\ufeff"),
            object_pairs_hook=_unique,
            parse_constant=_not_a_number,
        )
    except json.JSONDecodeError as error:
        raise _at(error.lineno, error.colno, f"{error.msg}.") from error
    except ValueError as error:  # a number of too many digits
        raise _invalid(f"The spec cannot be read: {error}.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _invalid(f'The spec gives "{name}" twice; remove one.')
        found[name] = value
    return found


def _not_a_number(word: str) -> Any:
    raise _invalid(f"The spec holds {word}, which is not a number.")


def _yaml(text: str) -> Any:
    try:
        return load_yaml(text)
    except YamlFault as fault:
        raise _at(fault.line, fault.column, fault.problem) from fault


def _at(line: int, column: int, problem: str) -> Invalid:
    return _invalid(f"Line {line}, column {column}: {problem}")


def _invalid(problem: str) -> Invalid:
    return Invalid(problem, fields={FIELD: problem})
