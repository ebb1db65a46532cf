"""Rows of what people are told."""

from tests.factories import notices
from tests.permission_rows import PEOPLE, VALIDATOR, Row, everybody


def to_validator(world):
    return {"pk": notices.told(world.project, world.validator).pk}, None


def daily(world):
    return {}, {"mail": "daily"}


ROWS = [
    Row("notices:open_notice", "get", to_validator, {VALIDATOR: 302}),
    Row("notices:read_notice", "post", to_validator, {VALIDATOR: 302}),
    Row("notices:read_notices", "post", expect=everybody(302, *PEOPLE)),
    Row("notices:mail", "get", expect=everybody(200, *PEOPLE)),
    Row("notices:mail", "post", daily, everybody(302, *PEOPLE)),
    Row("v1:mail", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:mail", "put", daily, everybody(200, *PEOPLE)),
    Row("v1:notices", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:read_notice", "post", to_validator, {VALIDATOR: 200}),
    Row("v1:read_notices", "post", expect=everybody(200, *PEOPLE)),
]
