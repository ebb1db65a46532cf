import io
import json

import pytest
from rest_framework.exceptions import ParseError

from apps.core.errors import Invalid
from apps.core.parsers import PortalJSONParser


def parse(text: str):
    return PortalJSONParser().parse(io.BytesIO(text.encode()))


def test_json_is_read():
    text = '{"a": ["é", 1, 2.5, null, true, {"b": "\\ud83d\\ude00"}]}'

    assert parse(text) == {"a": ["é", 1, 2.5, None, True, {"b": "😀"}]}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "NaN", "-Infinity"])
def test_json_that_cannot_be_read_is_refused(text):
    with pytest.raises(ParseError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        '"\\u0000"',
        '{"a": ["\\ud800"]}',
        '{"\\udc00": 1}',
        '{"a": {"b\\u0000": {}}}',
        '[[["\\ude00\\ud83d"]]]',
    ],
)
def test_text_that_the_database_cannot_hold_is_refused(text):
    with pytest.raises(Invalid, match="remove it") as caught:
        parse(text)

    assert json.dumps(caught.value.fields, ensure_ascii=False).encode()


def test_the_fields_at_fault_are_named():
    with pytest.raises(Invalid) as caught:
        parse('{"a": "good", "b": [{"c": "\\u0000"}], "\\ud800": "\\u0000"}')

    assert list(caught.value.fields) == ["b"]
