"""Write training specs for people: as YAML or JSON that reads back as the same spec."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import yaml

from engine.spec import TrainSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPES: Final = {
    "yaml": "application/yaml; charset=utf-8",
    "json": "application/json",
}
# As the spec declares its fields, limits at the end. Threads are set by the portal.
_ORDER: Final = (
    *(one.name for one in fields(TrainSpec) if one.name not in {"threads", "limits"}),
    "limits",
)
_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")


class _Dumper(yaml.SafeDumper):
    """Puts each field on a line of its own, and quotes what newer readers count."""

    def represent(self, data: Any) -> None:
        node: Any = self.represent_data(data)
        node.flow_style = False
        self.serialize(node)


# 1e5 is text to YAML 1.1, which this library writes, and a number to 1.2, as we read.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def spec_text(spec: Mapping[str, Any], form: str, *, title: str = "") -> str:
    """Write a spec so that `parse_spec_text` gives it back.

    Args:
        spec: as JSON values.
        form: yaml or json.
        title: becomes a comment on top, which JSON cannot hold.
    """
    written = {key: spec[key] for key in _ORDER if key in spec}
    if form == "json":
        return json.dumps(written, indent=2, ensure_ascii=False) + "\n"
    text: str = yaml.dump(
        written,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=88,
    )
    comment = "".join(f"# {line}\n" for line in title.splitlines())
    return comment + text


def line_of(text: str, path: str) -> int | None:
    """Find the line, from 1, of what `path` names, or of what should hold it.

    Args:
        text: of a spec that could be read, YAML or JSON.
        path: such as `search.trials` or `features[2].kind`.
    """
    try:
        # JSON may be indented by tabs, and is YAML but for them.
        node = yaml.compose(text.lstrip("\ufeff").replace("\t", " "), yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    line = None
    for step in _STEP.findall(path):
        found = _within(node, step)
        if found is None:
            break
        line, node = found
    return line


def _within(node: Any, step: str) -> tuple[int, Any] | None:
    """Take one step into a node; give the line of the name and what it holds."""
    if isinstance(node, yaml.SequenceNode) and step.startswith("["):
        place = int(step[1:-1])
        if place < len(node.value):
            return node.value[place].start_mark.line + 1, node.value[place]
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    return None
