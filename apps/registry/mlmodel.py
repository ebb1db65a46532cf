"""What a model takes and answers, read from the files that came with it.

Files are hostile: bounded, plain values only, and what does not fit is a sentence.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from apps.core import blobs
from apps.core.plain_yaml import YamlFault, load_yaml
from apps.registry.manifests import MLMODEL, MODEL_FILES, model_file, uppermost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from apps.registry.manifests import Entry

MOST_BYTES = 1_000_000
MOST_INPUTS = 5_000
MOST_CLASSES = 1_000
USUAL_THRESHOLD = 0.5
# MLflow's types -> how the engine reads such a column, and what people call it.
_TYPES = {
    "boolean": ("category", "boolean"),
    "datetime": ("date", "timestamp"),
    "double": ("number", "number"),
    "float": ("number", "number"),
    "integer": ("number", "integer"),
    "long": ("number", "integer"),
    "string": ("category", "text"),
}
_FLOATS = ("double", "float")
_HOW = (
    "Log it with metadata that says so, such as "
    "{'target': 'left', 'classes': ['no', 'yes'], 'positive_label': 'yes'}."
)

Json = dict[str, Any]


class Unfit(ValueError):
    """The portal cannot evaluate this model; the message says why."""


def signature_of(manifest: Iterable[Entry]) -> tuple[Json, str]:
    """Read what a model takes and answers, in the engine's form.

    Returns:
        The signature, and an empty text; or an empty one, and why the portal cannot
        evaluate the model.
    """
    files = uppermost(manifest)
    try:
        if model_file(files) is None:
            names = " and no ".join(MODEL_FILES)
            raise Unfit(f"It holds no {names}, and other models the portal never runs.")
        if MLMODEL not in files:
            raise Unfit("No file of it says what the model takes and answers.")
        return translated(_text(files[MLMODEL])), ""
    except Unfit as fault:
        return {}, str(fault)


def translated(text: str) -> Json:
    """Translate the signature of an MLmodel file.

    Raises:
        Unfit: it says too little, or something that is no plain table.
    """
    try:
        described = load_yaml(text)
    except (YamlFault, ValueError, RecursionError) as fault:
        raise Unfit(f"Its {MLMODEL} cannot be read. {fault}") from fault
    described = described if isinstance(described, dict) else {}
    signature, metadata = described.get("signature"), described.get("metadata")
    if not isinstance(signature, dict):
        raise Unfit(
            f"Its {MLMODEL} has no signature; log it with an input example or a "
            "signature."
        )
    metadata = metadata if isinstance(metadata, dict) else {}
    inputs = [_input(one) for one in _columns(signature.get("inputs"))]
    return _answers(_columns(signature.get("outputs")), metadata) | {
        "inputs": inputs,
        "numbers": [one["name"] for one in inputs if one["kind"] == "number"],
        "categories": [one["name"] for one in inputs if one["kind"] == "category"],
    }


def _columns(text: Any) -> list[Json]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError) as fault:
        raise Unfit(f"The signature in its {MLMODEL} cannot be read.") from fault
    if not isinstance(found, list) or not 0 < len(found) <= MOST_INPUTS:
        raise Unfit(f"The signature in its {MLMODEL} lists no inputs or no outputs.")
    if not all(isinstance(one, dict) for one in found):
        raise Unfit(f"The signature in its {MLMODEL} cannot be read.")
    return found


def _input(column: Json) -> Json:
    name, kind = column.get("name"), column.get("type")
    if not isinstance(name, str) or not name:
        raise Unfit("Its inputs have no names, so they are no columns of a table.")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise Unfit(
            f"Its input {name[:80]} is of the type {str(kind)[:40]}, which is no plain "
            "column of a table."
        )
    read_as, called = _TYPES[kind]
    return {"name": name, "kind": read_as, "type": called}


def _answers(outputs: list[Json], metadata: Json) -> Json:
    if len(outputs) != 1:
        raise Unfit("It answers several columns; the portal evaluates one answer.")
    target = metadata.get("target", outputs[0].get("name"))
    if not isinstance(target, str) or not target:
        raise Unfit(f"It does not name the column that it predicts. {_HOW}")
    kind = _output_type(outputs[0])
    classes = metadata.get("classes")
    if classes is None and kind in _FLOATS:
        return {
            "task": "regression",
            "target": target,
            "outputs": ["value"],
            "classes": [],
            "positive_label": None,
            "threshold": None,
        }
    return _classes(target, classes, metadata)


def _output_type(output: Json) -> str:
    kind = output.get("type")
    if kind == "tensor":
        told = output.get("tensor-spec")
        dtype = told.get("dtype") if isinstance(told, dict) else ""
        return "double" if str(dtype).startswith("float") else str(dtype)
    return str(kind)


def _classes(target: str, classes: Any, metadata: Json) -> Json:
    if not isinstance(classes, list) or not 1 < len(classes) <= MOST_CLASSES:
        raise Unfit(f"It does not say which classes it tells apart. {_HOW}")
    labels = [_label(one) for one in classes]
    if len(set(labels)) != len(labels):
        raise Unfit("It names a class twice.")
    binary = len(labels) == 2  # noqa: PLR2004  # the meaning of the word
    positive = (
        _label(metadata["positive_label"]) if "positive_label" in metadata else ""
    )
    if binary and positive not in labels:
        raise Unfit(f"It does not say which class counts as a case. {_HOW}")
    threshold = metadata.get("threshold", USUAL_THRESHOLD)
    is_number = isinstance(threshold, int | float) and math.isfinite(threshold)
    if not is_number or not 0 <= threshold <= 1:
        raise Unfit("Its threshold is no number from 0 to 1.")
    return {
        "task": "binary" if binary else "multiclass",
        "target": target,
        "outputs": ["label", "probabilities"],
        "classes": labels,
        "positive_label": positive if binary else None,
        "threshold": float(threshold) if binary else None,
    }


def _label(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unfit("Its classes are neither texts nor whole numbers.")
    return str(value)


def _text(entry: Entry) -> str:
    name = entry["path"]
    if entry["size_bytes"] > MOST_BYTES:
        raise Unfit(
            f"Its {name} is too large to be read: {MOST_BYTES:,} bytes at most."
        )
    with blobs.open_blob(entry["sha256"]) as content:
        try:
            text = content.read().decode()
        except UnicodeDecodeError as fault:
            raise Unfit(f"Its {name} is no text.") from fault
    if "\0" in text:
        raise Unfit(f"Its {name} is no text.")
    return text
