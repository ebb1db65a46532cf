"""The training spec as JSON Schema, for editors and for people's own checks.

Written from the dataclasses and the catalogue, so that it cannot say something else:
types and choices from the annotations, ranges from `RANGES`, words from docstrings.
What one field asks of another is checked by the spec alone; where it is simple, the
schema says it too.
"""

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import cleandoc
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from engine.spec.estimator import Estimator, Parameter
from engine.spec.estimators import ESTIMATORS
from engine.spec.measures import MEASURES
from engine.spec.train import MISSION_COST, TrainSpec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = "urn:mlops-portal:training-spec"
_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}

Schema = dict[str, Any]


def training_schema() -> Schema:
    """Return the JSON Schema (2020-12) of `TrainSpec`."""
    found: dict[str, Schema] = {}
    _dataclass(TrainSpec, found)
    schema = found.pop(TrainSpec.__name__)
    schema["properties"]["estimator"] = {"oneOf": list(map(_titled, _estimators()))}
    objective = schema["properties"]["objective"]
    objective["oneOf"] = [*_objectives(), {"type": "null"}]
    return {
        "$schema": DIALECT,
        "$id": NAME,
        "title": "Training spec",
        **schema,
        "allOf": [*map(_estimator, _estimators()), _BINARY],
        "$defs": found,
    }


_BINARY: Schema = {
    "if": {"properties": {"task": {"const": "binary"}}},
    "then": {
        "required": ["positive_label"],
        "properties": {"positive_label": {"type": "string"}},
    },
    "else": {"properties": {"positive_label": {"type": "null"}}},
}


def _estimators() -> Iterator[Estimator]:
    yield from ESTIMATORS.values()


def _titled(found: Estimator) -> Schema:
    return {"const": found.slug, "title": found.title, "description": found.help}


def _objectives() -> Iterator[Schema]:
    yield {"const": MISSION_COST, "title": "Mission cost"}
    for found in MEASURES.values():
        yield {"const": found.slug, "title": found.title, "description": found.help}


def _estimator(found: Estimator) -> Schema:
    """Say what follows for other fields when this estimator is chosen."""
    parameters = {
        "type": "object",
        "additionalProperties": False,
        "properties": {p.name: _parameter(p) for p in found.parameters},
    }
    then: Schema = {
        "task": {"enum": list(found.tasks)},
        "parameters": parameters,
    }
    if not found.has_class_weight:
        then["class_weight"] = {"type": "null"}
    if not any(found.searched()):
        then["search"] = {"type": "null"}
    return {
        "if": {
            "properties": {"estimator": {"const": found.slug}},
            "required": ["estimator"],
        },
        "then": {"properties": then},
    }


def _parameter(found: Parameter) -> Schema:
    schema: Schema = {
        "title": found.title,
        "description": " ".join(filter(None, (found.help, found.docs))),
        "default": found.default,
    }
    if found.kind == "choice":
        return schema | {"enum": list(found.choices)}
    return schema | {
        "type": found.kind,
        "minimum": found.minimum,
        "maximum": found.maximum,
    }


def _type(kind: Any, found: dict[str, Schema]) -> Schema:
    """Return the schema of an annotation; dataclasses are put into `found`."""
    if is_dataclass(kind):
        name = getattr(kind, "__name__", "")
        if name not in found:
            _dataclass(kind, found)
        return {"$ref": f"#/$defs/{name}"}
    if kind is type(None):
        return {"type": "null"}
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _union([_type(one, found) for one in inside])
    if origin is Literal:
        return {"enum": list(inside)}
    if origin is tuple:
        return {"type": "array", "items": _type(inside[0], found)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type(inside[1], found)}
    return {"type": _SCALARS[kind]}


def _union(parts: list[Schema]) -> Schema:
    """Merge plain types into one list, which reads better than a choice of schemas."""
    if all(list(part) == ["type"] for part in parts):
        return {"type": [part["type"] for part in parts]}
    return {"anyOf": parts}


def _dataclass(kind: Any, found: dict[str, Schema]) -> None:
    found[kind.__name__] = schema = {
        "description": _summary(kind),
        "type": "object",
        "additionalProperties": False,
    }
    hints, words = get_type_hints(kind), _attributes(kind)
    ranges = getattr(kind, "RANGES", {})
    schema["properties"] = {
        field.name: {
            **_type(hints[field.name], found),
            **_range(ranges.get(field.name)),
            **({"description": words[field.name]} if field.name in words else {}),
            **_default(field),
        }
        for field in fields(kind)
    }
    needed = [field.name for field in fields(kind) if not _default(field)]
    if needed:
        schema["required"] = needed


def _range(given: tuple[float, float | None] | None) -> Schema:
    if given is None:
        return {}
    low, high = given
    return {"minimum": low} | ({} if high is None else {"maximum": high})


def _default(field: "Field[Any]") -> Schema:
    if field.default is not MISSING and not is_dataclass(field.default):
        return {"default": field.default}
    if field.default is not MISSING:
        return {"default": {}}
    return {} if field.default_factory is MISSING else {"default": {}}


def _summary(kind: Any) -> str:
    return cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def _attributes(kind: Any) -> dict[str, str]:
    """Read what the docstrings of a dataclass and its bases say about each field."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        _, _, listed = cleandoc(base.__doc__ or "").partition("Attributes:\n")
        for name, words in re.findall(
            r"^    (\w+): (.*?)(?=^    \w|\Z)", listed, re.MULTILINE | re.DOTALL
        ):
            found[name] = re.sub(r"\s+", " ", words).strip()
    return found
