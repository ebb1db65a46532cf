"""YAML that people send: plain values only, read strictly.

It is read by the newer rules: only `true`, `false`, `null` and numbers are not text, so
that `positive_label: no` stays the word no. What could grow without limit (aliases,
merges) or hide a value (a name given twice) is refused with line and column.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Hashable

MOST_DEPTH = 20
# What an escape can name, but neither UTF-8 nor the database can hold.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")

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

    def construct_scalar(self, node: Any) -> str:
        text: str = super().construct_scalar(node)
        if UNSTORABLE.search(text):
            problem = "holds a character that no text has; remove it."
            raise _refused(node.start_mark, problem)
        return text

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


class YamlFault(ValueError):
    """A text that is not plain YAML.

    Attributes:
        line: where, from 1.
        column: where in the line, from 1.
        problem: what is wrong and how to fix it.
    """

    def __init__(self, line: int, column: int, problem: str) -> None:
        super().__init__(f"Line {line}, column {column}: {problem}")
        self.line = line
        self.column = column
        self.problem = problem


def load_yaml(text: str) -> Any:
    """Return what `text` says: dictionaries, lists, texts, numbers, booleans, None.

    Raises:
        YamlFault: it cannot be read; says where and why.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader with stricter rules
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"{error.problem or error.context or 'cannot be read'}."
        line, column = (mark.line, mark.column) if mark else (0, 0)
        raise YamlFault(line + 1, column + 1, problem) from error
    except YamlFault:
        raise
    except (OverflowError, ValueError) as error:
        # An escape such as \UFFFFFFFF, of which the library does not say where.
        problem = "names a character by a number that no character has."
        raise YamlFault(1, 1, problem) from error
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].split("\n")
        problem = "holds a character that no text has; remove it."
        raise YamlFault(len(lines), len(lines[-1]) + 1, problem) from error


def _refused(mark: Any, problem: str) -> YamlFault:
    return YamlFault(mark.line + 1, mark.column + 1, problem)
