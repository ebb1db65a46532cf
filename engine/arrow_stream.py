"""Results of DuckDB as numpy arrays, without a copy and without an Arrow library.

DuckDB hands results out through the Arrow C stream interface: a struct of four
functions and two structs of pointers, whose layout is fixed by
https://arrow.apache.org/docs/format/CStreamInterface.html (read 2026-11-26).
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray


class _Schema(ctypes.Structure): ...


class _Array(ctypes.Structure): ...


class _Stream(ctypes.Structure): ...


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]
_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", ctypes.c_void_p),
]
_Stream._fields_ = [
    (
        "get_schema",
        ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema)
        ),
    ),
    (
        "get_next",
        ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array)),
    ),
    (
        "get_last_error",
        ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream)),
    ),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))),
    ("private_data", ctypes.c_void_p),
]
_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype = ctypes.c_void_p
_pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]

_LARGE_TEXT = b"U"  # with offsets of 64 bits: `tables` asks for them
_FIXED = {b"l": "<i8", b"g": "<f8", b"tdD": "<i4", b"tsu:": "<i8"}


@dataclass(frozen=True)
class Values:
    """One column of a batch.

    Attributes:
        data: shape (rows,), int64, int32 (dates), float64 or bool; for text its UTF-8
            bytes, uint8. What stands where `valid` is false means nothing.
        valid: bool, shape (rows,), false where the value is missing; None when all
            are there.
        ends: for text, int64, shape (rows,): where each value ends in `data`.
    """

    data: NDArray[Any]
    valid: NDArray[np.bool_] | None
    ends: NDArray[Any] | None = None


def batches(relation: duckdb.DuckDBPyRelation) -> Iterator[list[Values]]:
    """Give the rows of a query, some 100,000 at a time, as arrays per column.

    The arrays are views of DuckDB's memory: they hold until the next batch is asked
    for. Columns are BIGINT, DOUBLE, BOOLEAN, DATE, TIMESTAMP or VARCHAR.

    Raises:
        duckdb.Error: the query failed on the way.
    """
    capsule = relation.__arrow_c_stream__()
    stream = _Stream.from_address(_pointer_of(capsule, b"arrow_array_stream"))
    schema = _Schema()
    _check(stream, stream.get_schema(stream, schema))
    try:
        kinds = [schema.children[i].contents.format for i in range(schema.n_children)]
    finally:
        schema.release(schema)
    while True:
        array = _Array()
        _check(stream, stream.get_next(stream, array))
        if not array.release:
            return
        try:
            yield [
                _values(kind, array.children[place].contents)
                for place, kind in enumerate(kinds)
            ]
        finally:
            array.release(array)


def _check(stream: Any, code: int) -> None:
    if code == 0:
        return
    message = (stream.get_last_error(stream) or b"").decode("utf-8", "replace")
    if "Out of Memory" in message:
        raise duckdb.OutOfMemoryException(message)
    raise duckdb.Error(message or f"reading failed with code {code}")


def _values(kind: bytes, array: Any) -> Values:
    first, count = array.offset, array.length
    valid = None
    if array.null_count != 0 and array.buffers[0]:
        valid = _bits(array.buffers[0], first, count)
    if kind == b"b":
        return Values(_bits(array.buffers[1], first, count), valid)
    if kind == _LARGE_TEXT:
        ends = _numbers(array.buffers[1], "<i8", first, count + 1)[1:]
        length = int(ends[-1]) if count else 0
        return Values(_numbers(array.buffers[2], "u1", 0, length), valid, ends)
    return Values(_numbers(array.buffers[1], _FIXED[kind], first, count), valid)


def _numbers(address: int | None, dtype: str, first: int, count: int) -> NDArray[Any]:
    if not address or not count:
        return np.zeros(count, dtype)
    size = np.dtype(dtype).itemsize
    kind: Any = ctypes.c_char * (count * size)
    memory = kind.from_address(address + first * size)
    return np.frombuffer(memory, dtype)


def _bits(address: int | None, first: int, count: int) -> NDArray[np.bool_]:
    packed = _numbers(address, "u1", 0, (first + count + 7) // 8)
    bits = np.unpackbits(packed, count=first + count, bitorder="little")
    return bits[first:].view(np.bool_)
