"""Fields of requests: what each may hold, told in MLflow's words when it may not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.parsers import NOT_STORABLE, is_storable
from apps.mlflow_api.errors import INVALID, MlflowError

if TYPE_CHECKING:
    from django.http import HttpRequest

INT64 = 2**63
MOST_SHOWN = 200

Read = Callable[[Any], Any]
Shape = Mapping[str, "Field"]


@dataclass(frozen=True)
class Field:
    """A field of a request.

    Args:
        read: takes the value, or raises ValueError.
        required: missing, null and empty are refused.
        many: in a query string, all its values count.
    """

    read: Read
    required: bool = False
    many: bool = False


class Missing(ValueError):
    """A field inside another is missing; the message is the way to it."""


_INTEGERS, _NUMBERS = (int, str), (int, float, str)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, _INTEGERS):
        raise ValueError("not a whole number")
    number = int(value)
    if not -INT64 <= number < INT64:
        raise ValueError("out of range")
    return number


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise ValueError("not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("out of range") from error


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not true or false")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return [_text(each) for each in value]


def _things(shape: Shape) -> Read:
    def read(value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise ValueError("not a list")
        return [_at(place, shape, each) for place, each in enumerate(value)]

    return read


def _at(place: int, shape: Shape, value: Any) -> dict[str, Any]:
    try:
        return _thing(shape, value)
    except Missing as error:
        raise Missing(f"[{place}]{error}") from error


def _thing(shape: Shape, value: Any) -> dict[str, Any]:
    """Read an object; a thousand of them come at once, so it is one loop."""
    if not isinstance(value, dict):
        raise ValueError("not an object")
    found: dict[str, Any] = {}
    for name, field in shape.items():
        given = value.get(name)
        if given is not None:
            try:
                found[name] = field.read(given)
            except Missing as error:
                raise Missing(f".{name}{error}") from error
        if field.required and (given is None or found[name] == ""):
            raise Missing(f".{name}")
    return found


TEXT, NEEDED_TEXT = Field(_text), Field(_text, required=True)
BOOLEAN = Field(_boolean)
INTEGER, NEEDED_INTEGER = Field(_integer), Field(_integer, required=True)
NEEDED_NUMBER = Field(_number, required=True)
TEXTS = Field(_texts, many=True)


def listed(shape: Shape) -> Field:
    """A list of objects."""
    return Field(_things(shape))


def thing(shape: Shape, *, required: bool = False) -> Field:
    """An object."""
    return Field(lambda value: _thing(shape, value), required=required)


def read_fields(request: HttpRequest, shape: Shape) -> dict[str, Any]:
    """Read the fields of a request; others are ignored, absent ones stay absent.

    Raises:
        MlflowError: the body is no JSON, or a field is missing or of another type.
    """
    given = _given(request, shape)
    found = {
        name: _value(name, field, given[name])
        for name, field in shape.items()
        if given.get(name) is not None
    }
    for name, field in shape.items():
        if field.required and found.get(name) in (None, ""):
            raise _missing(name)
    return found


def _missing(name: str) -> MlflowError:
    return MlflowError(
        INVALID,
        f"Missing value for required parameter '{name}'. Give one and send the "
        "request again.",
    )


def _given(request: HttpRequest, shape: Shape) -> dict[str, Any]:
    if request.method != "GET":
        return _object_in(request)
    given = {
        name: request.GET.getlist(name) if shape[name].many else request.GET[name]
        for name in shape
        if name in request.GET
    }
    if not is_storable(given):
        raise MlflowError(INVALID, NOT_STORABLE)
    return given


def _object_in(request: HttpRequest) -> dict[str, Any]:
    try:
        text = _body(request).decode("utf-8-sig")
        given = json.loads(text or "{}")
        # Only escapes write what cannot be stored; most bodies have none.
        is_kept = "\\u" not in text or is_storable(given)
    except (ValueError, RecursionError) as error:
        raise MlflowError(
            "BAD_REQUEST", "The body of the request is no JSON."
        ) from error
    if not isinstance(given, dict):
        raise MlflowError("BAD_REQUEST", "The body of the request is no JSON object.")
    if not is_kept:
        raise MlflowError(INVALID, NOT_STORABLE)
    return given


def _body(request: HttpRequest) -> bytes:
    """Read the body; its claimed length was checked, and no more is ever read."""
    return request.read()


def _value(name: str, field: Field, value: Any) -> Any:
    try:
        return field.read(value)
    except Missing as error:
        raise _missing(f"{name}{error}") from error
    except ValueError as error:
        shown = json.dumps(value, sort_keys=True, separators=(",", ":"))
        raise MlflowError(
            INVALID,
            f"Invalid value {shown[:MOST_SHOWN]} for parameter '{name}' supplied:  "
            f"Hint: Value was of type '{type(value).__name__}'. It is {error}.",
        ) from error
