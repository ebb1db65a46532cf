"""What an ONNX file says of itself, read without building the model.

The file may come from anybody. Only lengths and short texts of the protobuf encoding
are read, what is large is jumped over, and the work ends after so many fields.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_FIELDS: Final = 200_000
MOST_TEXT: Final = 500  # bytes of a name that are shown
MOST_VALUES: Final = 200  # inputs and outputs that are shown
MOST_KINDS: Final = 12  # operators that are shown
# Wire types of the encoding.
_NUMBER, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
# Fields of ModelProto, GraphProto, NodeProto, ValueInfoProto and what lies in them.
_IR, _PRODUCER, _PRODUCER_VERSION, _GRAPH, _OPSET = 1, 2, 3, 7, 8
_NODE, _GRAPH_NAME, _INITIALIZER, _INPUT, _OUTPUT = 1, 2, 5, 11, 12
_OP_TYPE, _TENSOR_NAME = 4, 8
_TYPES: Final = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "text",
    9: "boolean",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}
_CONTAINERS: Final = {4: "sequence", 5: "map", 8: "sparse tensor", 9: "optional"}


class NotOnnx(Exception):
    """The bytes are not an ONNX model, or too many to look through."""


@dataclass
class OnnxSummary:
    """What is told of a model.

    Args:
        inputs: name, and kind such as `float32 [N, 4]`; without stored weights.
        opsets: version by domain.
        nodes: operations in the main graph.
        kinds: operators with their number, the most frequent first.
        weights: stored tensors.
    """

    ir_version: int = 0
    producer: str = ""
    graph: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    inputs: list[tuple[str, str]] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    nodes: int = 0
    kinds: list[tuple[str, int]] = field(default_factory=list)
    weights: int = 0


class _Reader:
    """Walks over the fields of a message, in a file it never holds."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.size = file.seek(0, os.SEEK_END)
        self.left = MOST_FIELDS

    def fields(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Give number, start and end of each field; of a number its value as start."""
        at = start
        while at < end:
            self.left -= 1
            if self.left < 0:
                raise NotOnnx("It has more parts than are looked through.")
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            if wire == _NUMBER:
                value, at = self._varint(at, end)
                yield number, value, -1
                continue
            length = {_EIGHT: 8, _FOUR: 4}.get(wire, 0)
            if wire == _BYTES:
                length, at = self._varint(at, end)
            elif not length:
                raise NotOnnx("It is damaged or not an ONNX model.")
            if at + length > end:
                raise NotOnnx("It is damaged or not an ONNX model.")
            yield number, at, at + length
            at += length

    def text(self, start: int, end: int) -> str:
        """Read the beginning of a text."""
        if end < 0:
            raise NotOnnx("It is damaged or not an ONNX model.")
        self.file.seek(start)
        text = self.file.read(min(end - start, MOST_TEXT)).decode(errors="replace")
        return "".join(sign if sign.isprintable() else "?" for sign in text)

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        self.file.seek(at)
        value = 0
        for place, byte in enumerate(self.file.read(min(10, end - at))):
            value |= (byte & 127) << (7 * place)
            if byte < 128:  # noqa: PLR2004  # the high bit says that more follows
                return value, at + place + 1
        raise NotOnnx("It is damaged or not an ONNX model.")


def summarise(file: IO[bytes]) -> OnnxSummary:
    """Tell inputs, outputs, operators and versions of an ONNX model.

    Args:
        file: seekable, of any size; a fixed amount of it is read.

    Raises:
        NotOnnx: it is none, damaged, or has too many parts.
    """
    reader, found = _Reader(file), OnnxSummary()
    producer = ["", ""]
    graphs = 0
    for number, start, end in reader.fields(0, reader.size):
        if number == _IR and end < 0:
            found.ir_version = start
        elif number in (_PRODUCER, _PRODUCER_VERSION):
            producer[number - _PRODUCER] = reader.text(start, end)
        elif number == _OPSET:
            domain, version = _opset(reader, start, end)
            found.opsets[domain or "ai.onnx"] = version
        elif number == _GRAPH:
            graphs += 1
            _read_graph(reader, start, end, found)
    if graphs != 1 or not found.nodes:
        raise NotOnnx("It is damaged or not an ONNX model.")
    found.producer = " ".join(producer).strip()
    return found


def _opset(reader: _Reader, start: int, end: int) -> tuple[str, int]:
    domain, version = "", 0
    for number, at, stop in _inside(reader, start, end):
        if number == 1:
            domain = reader.text(at, stop)
        elif number == 2 and stop < 0:  # noqa: PLR2004  # the field of the version
            version = at
    return domain, version


def _inside(reader: _Reader, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    if end < 0:
        raise NotOnnx("It is damaged or not an ONNX model.")
    return reader.fields(start, end)


def _read_graph(reader: _Reader, start: int, end: int, found: OnnxSummary) -> None:
    kinds: Counter[str] = Counter()
    stored: set[str] = set()
    for number, at, stop in _inside(reader, start, end):
        if number == _NODE:
            found.nodes += 1
            kinds[_first(reader, at, stop, _OP_TYPE) or "?"] += 1
        elif number == _GRAPH_NAME:
            found.graph = reader.text(at, stop)
        elif number == _INITIALIZER:
            found.weights += 1
            stored.add(_first(reader, at, stop, _TENSOR_NAME))
        elif number == _INPUT and len(found.inputs) < MOST_VALUES:
            found.inputs.append(_value(reader, at, stop))
        elif number == _OUTPUT and len(found.outputs) < MOST_VALUES:
            found.outputs.append(_value(reader, at, stop))
    found.inputs = [one for one in found.inputs if one[0] not in stored]
    found.kinds = kinds.most_common(MOST_KINDS)


def _first(reader: _Reader, start: int, end: int, wanted: int) -> str:
    """Read the text in the first field of a number."""
    for number, at, stop in _inside(reader, start, end):
        if number == wanted:
            return reader.text(at, stop)
    return ""


def _value(reader: _Reader, start: int, end: int) -> tuple[str, str]:
    name, kind = "", ""
    for number, at, stop in _inside(reader, start, end):
        if number == 1:
            name = reader.text(at, stop)
        elif number == 2:  # noqa: PLR2004  # the field of the type
            kind = _kind(reader, at, stop)
    return name, kind


def _kind(reader: _Reader, start: int, end: int) -> str:
    for number, at, stop in _inside(reader, start, end):
        if number == 1:
            return _tensor(reader, at, stop)
        if number in _CONTAINERS:
            return _CONTAINERS[number]
    return ""


def _tensor(reader: _Reader, start: int, end: int) -> str:
    element, sizes = "?", "[]"
    for number, at, stop in _inside(reader, start, end):
        if number == 1 and stop < 0:
            element = _TYPES.get(at, "?")
        elif number == 2:  # noqa: PLR2004  # the field of the shape
            each = [_size(reader, *one) for _, *one in _inside(reader, at, stop)]
            sizes = f"[{', '.join(each[:MOST_KINDS])}]"
    return f"{element} {sizes}"


def _size(reader: _Reader, start: int, end: int) -> str:
    """Say how long a tensor is in one direction; a name stands for any length."""
    for number, at, stop in _inside(reader, start, end):
        if number == 1 and stop < 0:
            return str(at) if at else "?"
        if number == 2:  # noqa: PLR2004  # the field of the name
            return reader.text(at, stop)
    return "?"
