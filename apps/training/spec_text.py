"""Read a training spec that a person wrote, as YAML or JSON.

YAML is read by its newer rules: only `true`, `false`, `null` and numbers are not text,
so that `positive_label: no` stays the word no. What could grow without limit (aliases)
or hide a value (a name given twice) is refused, each with line and column.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from apps.core.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Hashable

MOST_CHARACTERS = 256 * 1024
MOST_DEPTH = 20
FIELD = "spec"

_NUMBERS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "int": (r"[-+]?(?:0|[1-9][0-9]{0,30})", "-+0123456789"),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,4})?",
        "-+.0123456789",
    ),
}


class _Loader(yaml.SafeLoader):
    """Builds plain values only, under the rules above."""

    yaml_implicit_resolvers = {}
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            problem = "aliases (*name) are not allowed; write it out."
            raise _refused(event.start_mark, problem)
        if getattr(event, "tag", None) is not None:
            raise _refused(event.start_mark, "tags (!name) are not allowed; remove it.")
        self.depth += 1
        if self.depth > MOST_DEPTH:
            problem = f"is more than {MOST_DEPTH} levels deep."
            raise _refused(event.start_mark, problem)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused(key.start_mark, "a name must be one word.")
            if key.value in seen:
                raise _refused(key.start_mark, f'"{key.value}" is given twice.')
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


for _tag, (_pattern, _first) in _NUMBERS.items():
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


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
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader with stricter rules
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"{error.problem or error.context or 'cannot be read'}."
        if mark is None:
            raise _invalid(f"The spec cannot be read: {problem}") from error
        raise _refused(mark, problem) from error
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].split("\n")
        problem = "holds a character that no text has; remove it."
        raise _at(len(lines), len(lines[-1]) + 1, problem) from error


def _refused(mark: Any, problem: str) -> Invalid:
    return _at(mark.line + 1, mark.column + 1, problem)


def _at(line: int, column: int, problem: str) -> Invalid:
    return _invalid(f"Line {line}, column {column}: {problem}")


def _invalid(problem: str) -> Invalid:
    return Invalid(problem, fields={FIELD: problem})
