"""Rows of what belongs to no app: health, API schema and its page."""

from tests.permission_rows import PEOPLE, Row, everybody

ALL = everybody(200, *PEOPLE)

ROWS = [
    Row("core:health", "get", expect=ALL, anonymous=200),
    Row("core:components", "get", expect=ALL, anonymous=200),
    Row("v1:schema", "get", expect=ALL),
    Row("api_docs", "get", expect=ALL, anonymous=401),
]
